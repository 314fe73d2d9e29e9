//! What two banks and the ledger keep of one person has nothing in common.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use serde_json::json;

use super::{
    open_account,
    support::{Country, country::kyc, dump},
};

/// Columns whose values two vaults may share, and why: words of the program, and days.
const SHARED: [(&str, &str); 10] = [
    ("grants.kind", "the program's word for what is kept for a while"),
    ("keyring.name", "the program's word for a secret of the vault"),
    ("item.name", "the catalogue's word for what it is"),
    ("access.reader", "the program's word for what read"),
    ("access.names", "the catalogue's words for what was read"),
    ("access.law", "a law's short name"),
    ("hold.law", "a law's short name"),
    ("work.queue", "the program's word for what is to be done"),
    ("work.state", "the program's word for how far it is"),
    ("consent.expires", "the day on which all consents of a day end"),
];

/// An anchor names the moments of its batch's first and last receipt, and the banks' clock stands
/// still in this test: all that one bank does for a person has that moment. The other bank's and
/// the ledger's own moments are others.
const MOMENT: &str = "a moment that an anchor of the bank's own names";

/// Columns whose values stand on the ledger, and why: what a bank does there in its own name, for
/// all its customers at once.
const PUBLIC: [(&str, &str); 13] = [
    ("anchor.id", "the operation that anchors a batch of receipts"),
    ("anchor.root", "the batch's root"),
    ("receipt.anchor", "the batch that a receipt is in"),
    ("consent.expires", "the day on which all consents of a day end"),
    ("access.at", MOMENT),
    ("anchor.begins", MOMENT),
    ("anchor.ends", MOMENT),
    ("consent.created", MOMENT),
    ("item.obtained", MOMENT),
    ("party.created", MOMENT),
    ("receipt.at", MOMENT),
    ("work.created", MOMENT),
    ("grants.hash", "the one status list has the key zero"),
];

#[tokio::test]
async fn two_banks_vaults_and_the_ledger_have_no_value_by_which_a_person_could_be_joined() {
    let country = Country::new();
    let (first, second) = (country.bank(2).await, country.bank(3).await);
    open_account(&country, &first).await;
    country.now.fetch_add(83_017, Ordering::SeqCst);
    let mut wallet = country.wallet(3, &json!({}));
    wallet.held.push(kyc(&country, 2, "2027-11-22"));
    first.flows.publish_status().await.expect("a status list");
    let text = first.flows.status_list(0).await.expect("it is served");
    let uri = format!("{}/status/0", country.identity(2).base_url);
    country.web.lists.lock().expect("unpoisoned").insert(uri, text);
    let (id, answer) = second.apply(&country, "current_account", &wallet).await;
    answer.expect("taken");
    assert_eq!(second.end(id).await.state, "done");
    for bank in [&first, &second] {
        country.now.fetch_add(11_003, Ordering::SeqCst);
        bank.flows.round().await;
    }
    let ledger = country.shared.state.lock().expect("unpoisoned").bytes();
    let (one, other) = (dump::values(&first.folder).await, dump::values(&second.folder).await);
    assert!(one.len() > 50 && other.len() > 50, "{} {}", one.len(), other.len());
    // The columns of a value that are not on the list.
    let beside = |list: &[(&str, &str)], places: &BTreeSet<String>| -> Vec<String> {
        let is_listed = |place: &&String| !list.iter().any(|(its, _)| its == place);
        places.iter().filter(is_listed).cloned().collect()
    };
    let both = one.iter().filter_map(|(value, places)| Some((places, other.get(value)?)));
    let both = both.flat_map(|(one, other)| [one, other]);
    let shared: BTreeSet<String> = both.flat_map(|places| beside(&SHARED, places)).collect();
    assert!(shared.is_empty(), "in both vaults: {shared:?}");
    for (bank, values) in [(2, &one), (3, &other)] {
        let on_ledger =
            |value: &Vec<u8>| ledger.windows(value.len()).any(|window| window == value.as_slice());
        let public: Vec<_> =
            values.iter().filter(|(value, _)| on_ledger(value)).map(|(_, places)| places).collect();
        assert!(public.iter().any(|its| its.contains("anchor.root")), "the search finds");
        let personal: BTreeSet<String> =
            public.into_iter().flat_map(|places| beside(&PUBLIC, places)).collect();
        assert!(personal.is_empty(), "on the ledger and at bank {bank}: {personal:?}");
    }
}
