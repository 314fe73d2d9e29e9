//! The registrar sees a person once.

use std::time::Instant;

use etibar_wallet::{Language, NewPerson};

use super::{PID, Story, code};
use crate::{
    failure::Failure,
    tour::{
        chapter::Chapter,
        country::{Country, broken},
        stage::{Stage, millis},
    },
};

/// Enrols the person whom the chapters follow.
pub(super) async fn once(stage: &Stage, chapter: &mut Chapter) -> Result<Story, Failure> {
    let country = Country::open(stage).await?;
    chapter.fact("synthetic people in the registers", country.population().people().len());
    let began = Instant::now();
    let citizen = country.enrol().await?;
    chapter.fact("enrolled after ms", millis(began));
    let home = citizen.holder.home(Language::En).await.map_err(broken("look at the wallet"))?;
    let card = home.card;
    let person = country.person(citizen.index);
    let named = card.as_ref().is_some_and(|card| card.name.contains(&person.family_name));
    chapter.check("the wallet shows the identity that the register has", named);
    let level = card.as_ref().map_or("none", |card| card.level.as_str());
    chapter.check(
        format!("a photo and a video with a second factor give the level {level}"),
        level == "substantial",
    );
    let credentials = citizen.holder.credentials(Language::En).await;
    let credentials = credentials.map_err(broken("look at the wallet"))?;
    let unused = credentials.iter().find(|its| its.vct == PID).map_or(0, |its| its.instances_left);
    chapter.check(
        format!("in {unused} instances that nobody can tell to be one person's"),
        unused > 1,
    );
    let again = country.wallet().enrol(&country.application(citizen.index)).await;
    chapter.check("the same person cannot enrol twice", code(again) == "already_enrolled");
    let other = country.person(citizen.index + 1).document_number.clone();
    let mixed = NewPerson { document: other, ..country.application(citizen.index) };
    let mixed = code(country.wallet().enrol(&mixed).await);
    chapter.check(
        format!("a number with another's document is refused ({mixed})"),
        mixed == "person_not_confirmed",
    );
    Ok(Story { country, citizen })
}
