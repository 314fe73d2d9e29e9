//! Receipts that somebody changed.

use std::fs;

use super::{DEBTOR, order};
use crate::{
    failure::{self, Failure},
    tour::{chapter::Chapter, stage::Stage},
};

/// Every how many bytes of the receipt one bit is turned.
const STRIDE: usize = 7;

pub(super) async fn tampering(stage: &Stage, chapter: &mut Chapter) -> Result<(), Failure> {
    let payer = stage.gateway(DEBTOR)?;
    let payment = order(4_200);
    let answer = payer.pay(&payment).await?;
    chapter.check("a payment settles", answer.status == "ACSC");
    let receipt = stage.receipt_of(&payer, payment.uetr).await?;
    let path = stage.sample.folder.join(format!("{}.receipt", payment.uetr));
    fs::write(&path, &receipt).map_err(failure::file("write", &path))?;
    chapter.fact("receipt", path.display().to_string());
    chapter.fact("bytes", receipt.len());
    chapter.check("the receipt as it came is proof", stage.verify(&receipt).is_ok());
    let mut believed = Vec::new();
    let places: Vec<_> = (0..receipt.len()).step_by(STRIDE).collect();
    for place in &places {
        let mut forged = receipt.to_vec();
        forged[*place] ^= 1 << (place % 8);
        if stage.verify(&forged).is_ok() {
            believed.push(*place);
        }
    }
    chapter.fact("forgeries tried", places.len());
    chapter.fact("forgeries believed", believed.len());
    chapter.check("no receipt with one turned bit is believed", believed.is_empty());
    let cut = &receipt[..receipt.len() - 1];
    chapter.check("a shortened receipt is refused", stage.verify(cut).is_err());
    let mut other = stage.sample.genesis.clone();
    other.name.push('!');
    let refused = etibar_client::verify_receipt(&other, &receipt).is_err();
    chapter.check("another network's genesis refuses it", refused);
    Ok(())
}
