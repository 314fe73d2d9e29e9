use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

/// Gives the scalars that a vector demands: the library reduces 64 bytes, so each scalar is
/// followed by 32 zeros.
struct Fixed(Vec<u8>);

impl rand_core::TryRng for Fixed {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("scalars are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("scalars are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

fn scalar(text: &str) -> Fixed {
    let mut bytes = hex::decode(text).expect("hexadecimal");
    bytes.extend([0; 32]);
    Fixed(bytes)
}

const SEED: [u8; 32] = [0xa3; 32];
const KEY_INFO: &[u8] = b"test key";
const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";

// RFC 9497 §A.1.1 (base mode): input, blinded element, evaluation element, output.
const BASE: [(&str, &str, &str, &str); 2] = [
    (
        "00",
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
        "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
        "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3\
         ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
    ),
    (
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
        "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
        "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4\
         f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
    ),
];

#[test]
fn the_base_mode_is_byte_for_byte_that_of_rfc_9497() {
    let server = OprfServer::<Ristretto255>::new_from_seed(&SEED, KEY_INFO).unwrap();
    let secret = "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e";
    assert_eq!(hex::encode(&server.serialize()), secret);
    for (input, blinded, evaluated, output) in BASE {
        let input = hex::decode(input).unwrap();
        let mut rng = scalar(BLIND);
        let client =
            voprf::OprfClient::<Ristretto255>::blind(&input, &mut Source(&mut rng)).unwrap();
        assert_eq!(hex::encode(&client.message.serialize()), blinded);
        let element = server.blind_evaluate(&client.message);
        assert_eq!(hex::encode(&element.serialize()), evaluated);
        assert_eq!(hex::encode(&client.state.finalize(&input, &element).unwrap()), output);
        assert_eq!(hex::encode(&server.evaluate(&input).unwrap()), output);
    }
}

// RFC 9497 §A.1.2.1 (verifiable mode), through our own types.
#[test]
fn the_verifiable_mode_is_byte_for_byte_that_of_rfc_9497() {
    let key = DirectoryKey::derive(&SEED, KEY_INFO);
    let public = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
    assert_eq!(hex::encode(&key.public_key()), public);
    let question = AliasQuestion::blind(vec![0], &mut scalar(BLIND));
    let blinded = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945";
    assert_eq!(hex::encode(question.blinded()), blinded);
    let mut rng = scalar("222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e");
    let answer = key.evaluate(question.blinded(), &mut rng).unwrap();
    let element = "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e";
    assert_eq!(hex::encode(&answer.element), element);
    let proof = "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06\
                 6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d";
    assert_eq!(hex::encode(&answer.proof), proof);
    let output = question.output(&answer, &key.public_key()).unwrap();
    let expected = "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
                    a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c";
    assert_eq!(hex::encode(&output), expected);
}

fn fin(text: &str) -> Fin {
    Fin::parse(text).expect("well formed")
}

#[test]
fn a_person_has_one_uid_and_for_each_bank_another_name() {
    let keys = RegistrarKeys::new(&[1; 32], &[2; 32]);
    let uid = keys.uid(&fin("7ZX4Q9B"));
    assert_eq!(keys.uid(&fin("7zx4q9b")), uid);
    assert_ne!(keys.uid(&fin("7ZX4Q9C")), uid);
    let ppid = keys.ppid(&uid, MemberId(2));
    assert_eq!(Ppid::parse(&ppid.expose()), Some(ppid));
    assert_ne!(keys.ppid(&uid, MemberId(3)), ppid);
    let others = RegistrarKeys::new(&[3; 32], &[2; 32]);
    assert_ne!(others.uid(&fin("7ZX4Q9B")), uid);
    assert_ne!(RegistrarKeys::new(&[1; 32], &[4; 32]).ppid(&uid, MemberId(2)), ppid);
}

// Golden: these names stand in banks' books for life.
#[test]
fn the_names_of_a_made_up_person_stay_the_same() {
    let keys = RegistrarKeys::new(&[1; 32], &[2; 32]);
    let uid = keys.uid(&fin("7ZX4Q9B"));
    let names = format!("{}\n{}", hex::encode(uid.expose()), keys.ppid(&uid, MemberId(2)).expose());
    assert_eq!(names, include_str!("../../tests/golden/oprf.txt").trim_end());
}

#[test]
fn a_phone_has_one_tag_whoever_asks_and_the_directory_sees_only_random_points() {
    let key = DirectoryKey::from_seed(&[5; 32]);
    let mut rng = StdRng::seed_from_u64(1);
    let phone = Phone::parse("+994501234567").expect("well formed");
    let mut tag = |phone: &Phone| {
        let question = AliasQuestion::phone(phone, &mut rng);
        let answer = key.evaluate(question.blinded(), &mut rng).unwrap();
        (*question.blinded(), question.finalize(&answer, &key.public_key()).unwrap())
    };
    let ((one, first), (two, second)) = (tag(&phone), tag(&phone));
    assert_eq!(first, second);
    assert_ne!(one, two);
    let other = Phone::parse("+994501234568").expect("well formed");
    assert_ne!(tag(&other).1, first);
}

#[test]
fn a_directory_that_uses_another_key_or_answers_nonsense_is_found_out() {
    let key = DirectoryKey::from_seed(&[5; 32]);
    let mut rng = StdRng::seed_from_u64(1);
    let phone = Phone::parse("+994501234567").expect("well formed");
    let question = AliasQuestion::phone(&phone, &mut rng);
    let marked = DirectoryKey::from_seed(&[6; 32]);
    let answer = marked.evaluate(question.blinded(), &mut rng).unwrap();
    let refused = |answer: &Evaluation| question.finalize(answer, &key.public_key()).unwrap_err();
    assert_eq!(refused(&answer), OprfError::OtherKey);
    let good = key.evaluate(question.blinded(), &mut rng).unwrap();
    let mut changed = good.clone();
    changed.proof[0] ^= 1;
    assert_eq!(refused(&changed), OprfError::OtherKey);
    let neutral = Evaluation { element: [0; ELEMENT_BYTES], ..good.clone() };
    assert_eq!(refused(&neutral), OprfError::Element);
    assert_eq!(refused(&Evaluation { proof: [0xff; PROOF_BYTES], ..good }), OprfError::Proof);
    assert_eq!(key.evaluate(&[0; ELEMENT_BYTES], &mut rng), Err(OprfError::Element));
    let none = question.finalize(&answer, &[0xff; ELEMENT_BYTES]);
    assert_eq!(none, Err(OprfError::PublicKey));
}

#[test]
fn nothing_of_a_person_shows_in_debug() {
    let keys = RegistrarKeys::new(&[1; 32], &[2; 32]);
    let uid = keys.uid(&fin("7ZX4Q9B"));
    let phone = Phone::parse("+994501234567").expect("well formed");
    let question = AliasQuestion::phone(&phone, &mut StdRng::seed_from_u64(1));
    let shown = format!("{keys:?} {uid:?} {:?} {question:?}", keys.ppid(&uid, MemberId(2)));
    assert_eq!(
        shown,
        "RegistrarKeys(redacted) Uid(redacted) Ppid(redacted) AliasQuestion(redacted)"
    );
}
