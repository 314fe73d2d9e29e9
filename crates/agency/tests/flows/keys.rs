//! An agency whose key is another one than before.

use etibar_credential::jose::Token;

use super::{enrolled, world::World};

/// The first status list: its text, and the certificates under which it is signed.
async fn list(world: &World) -> (String, Vec<Vec<u8>>) {
    let text = world.agency.status_list(0).await.unwrap().expect("it is published");
    let chain = Token::parse(&text, "statuslist+jwt", text.len()).unwrap().header().x5c.clone();
    (text, chain)
}

#[tokio::test]
async fn a_new_key_signs_the_lists_that_were_published_under_the_former() {
    let mut world = World::new().await;
    enrolled(&world, 0).await;
    world.agency.work_once().await.unwrap();
    let (before, chain) = list(&world).await;
    world.restart().await;
    assert_eq!(list(&world).await.0, before, "the same key: the list stays as it is");

    world.lose_key();
    world.restart().await;
    let (after, new_chain) = list(&world).await;
    assert_ne!(new_chain, chain);
    let signer = &world.agency.setup().signer;
    assert_eq!(new_chain, signer.chain());
    let token = Token::parse(&after, "statuslist+jwt", after.len()).unwrap();
    token.verify(&signer.public_key()).expect("the new key's signature");
    assert!(!world.agency.store().unanchored().await.unwrap().is_empty(), "to be anchored");
}
