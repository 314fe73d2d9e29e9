//! The chapters about people: proven once, reused everywhere, under the person's eyes.

mod accesses;
mod change;
mod company;
mod ending;
mod enrol;
mod failures;
mod issue;
mod loan;
mod mandate;
mod minor;
mod openings;
mod privacy;
mod recovery;
mod refusals;
mod reuse;
mod script;

use crate::{
    failure::Failure,
    sample::{MEMBERS, SampleMember},
    tour::{
        chapter::Chapter,
        country::{Citizen, Country},
        stage::Stage,
    },
};

/// Where the person opens the first account.
const HOME: &SampleMember = &MEMBERS[4];
/// The bank that does not ask again.
const SECOND: &SampleMember = &MEMBERS[5];
/// Where the person goes after moving house.
const THIRD: &SampleMember = &MEMBERS[6];
/// A telephone number of the range that is never given out.
const PHONE: &str = "+994-50-0000777";

const PID: &str = "urn:az:pid:1";
const EMPLOYMENT: &str = "urn:az:employment:1";
const CREDIT_REPORT: &str = "urn:az:credit-report:1";
const COMPANY: &str = "urn:az:company:1";
const GUARDIANSHIP: &str = "urn:az:guardianship:1";

/// The country and the person whom most chapters follow.
struct Story {
    country: Country,
    citizen: Citizen,
}

/// Tells the chapters about people; without a person there is nothing to tell.
pub(super) async fn tell(stage: &Stage, told: &mut Vec<Chapter>) {
    let begin = |name| Chapter::begin(name, stage.speaks);
    let mut chapter = begin("A person enrols once");
    let story = enrol::once(stage, &mut chapter).await;
    let (story, ended) = match story {
        Ok(story) => (Some(story), Ok(())),
        Err(failure) => (None, Err(failure)),
    };
    told.push(chapter.end(ended));
    let Some(story) = story else { return };
    tell_giving(stage, &story, told).await;
    tell_taking_back(stage, &story, told).await;
    let mut chapter = begin("Nothing of a person is on the ledger, in a log or in a metric");
    let ended = privacy::scan(stage, &story, &mut chapter).await;
    told.push(chapter.end(ended));
}

/// Tells how data is issued, presented, reused and fetched.
async fn tell_giving(stage: &Stage, story: &Story, told: &mut Vec<Chapter>) {
    let begin = |name| Chapter::begin(name, stage.speaks);
    let mut chapter = begin("Agencies issue from their registers");
    let ended = issue::from_registers(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("An account in one gesture, paid to by telephone number");
    let ended = openings::first(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A second bank does not ask again, and owes for it");
    let ended = reuse::at_second(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A loan: today's data from its source, under consent");
    let ended = loan::assessed(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A director opens the company's account");
    let ended = company::opened(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A parent opens an account for a child");
    let ended = minor::opened(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A clerk looks first: a credential that comes later");
    let ended = mandate::released(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("One person at nine banks");
    let ended = openings::everywhere(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A developer's script holds a wallet");
    let ended = script::holds(stage, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("Who asks too much is refused");
    let ended = refusals::too_much(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
}

/// Tells how a person looks, changes, withdraws, loses and recovers.
async fn tell_taking_back(stage: &Stage, story: &Story, told: &mut Vec<Chapter>) {
    let begin = |name| Chapter::begin(name, stage.speaks);
    let mut chapter = begin("Who saw my data");
    let ended = accesses::complete(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    if let Some(processes) = stage.processes() {
        let mut chapter = begin("An agency is down, a bank dies in the middle of an opening");
        let ended = failures::in_the_middle(stage, processes, story, &mut chapter).await;
        told.push(chapter.end(ended));
        let mut chapter = begin("A bank that hides an access is found out");
        let ended = accesses::hidden(stage, processes, story, &mut chapter).await;
        told.push(chapter.end(ended));
    }
    let mut chapter = begin("A withdrawn consent ends at once");
    let ended = ending::withdrawn(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A new address reaches every bank that follows it");
    let ended = change::of_address(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A bank erases, and says what the law makes it keep");
    let ended = ending::erased(story, &mut chapter).await;
    told.push(chapter.end(ended));
    let mut chapter = begin("A lost phone: two of three guardians bring the person back");
    let ended = recovery::by_guardians(stage, story, &mut chapter).await;
    told.push(chapter.end(ended));
}

/// What a refusal's code is; nothing when it was no refusal.
fn code<T>(outcome: Result<T, etibar_wallet::WalletError>) -> String {
    outcome.map_or_else(|error| error.code().to_owned(), |_| String::new())
}

/// The ledger as a member sees it does not answer.
fn unread(error: impl std::fmt::Display) -> Failure {
    crate::tour::country::failed("read the ledger", error.to_string())
}
