//! The first page, and the choice of a bank.

use askama::Template;
use axum::{extract::State, response::Response};
use etibar_wallet::{
    WalletError,
    view::{Home, Notice, NoticeKind},
};

use super::{
    Door, entry,
    page::{self, Shell, page},
    session::{Member, SignedIn, Visitor},
    text,
    words::Words,
};

#[derive(Template)]
#[template(path = "wallet/home.html")]
struct HomePage {
    shell: Shell,
    words: &'static Words,
    home: Home,
    card_expiry: String,
    level: &'static str,
    cooldown: Option<String>,
    notices: Vec<NoticeLine>,
}

/// One line of the inbox.
struct NoticeLine {
    href: String,
    title: String,
    text: String,
    mark: &'static str,
}

#[derive(Template)]
#[template(path = "wallet/banks.html")]
struct BanksPage {
    shell: Shell,
    words: &'static Words,
    banks: Vec<(u32, String)>,
}

/// The first page: the wallet, or the way in.
pub(super) async fn show(State(door): State<Door>, visitor: Visitor) -> Response {
    let Some(SignedIn { holder, session }) = &visitor.signed_in else {
        return entry::welcome(&door, visitor.words, entry::outside(&visitor));
    };
    let words = visitor.words;
    let shell = Shell::inside(words, session, "home");
    let home = async {
        holder.set_language(words.language).await?;
        holder.home(words.language).await
    };
    match home.await {
        Ok(home) => page(&HomePage::of(shell, words, home)),
        Err(error) => page::told(shell, &error),
    }
}

/// The banks at which an account can be opened.
pub(super) async fn banks(State(door): State<Door>, member: Member) -> Response {
    let banks = door.wallet.banks().into_iter().map(|(bank, name)| (bank.0, name)).collect();
    let shell = Shell::inside(member.words, &member.session, "home");
    page(&BanksPage { shell, words: member.words, banks })
}

impl HomePage {
    fn of(shell: Shell, words: &'static Words, mut home: Home) -> Self {
        let card = home.card.as_ref();
        let expiry = card.map(|card| card.document_expiry.as_str()).unwrap_or_default();
        let level = match card.map(|card| card.level.as_str()) {
            Some("high") => words.card.high,
            Some("substantial") => words.card.substantial,
            _ => words.card.low,
        };
        let now = etibar_client::clock::now();
        let cooldown = card.and_then(|card| card.cooldown_until).filter(|until| *until > now);
        let card_expiry = text::written(expiry, words).unwrap_or_else(|| expiry.to_owned());
        for account in &mut home.accounts {
            account.iban = text::iban(&account.iban);
        }
        Self {
            card_expiry,
            level,
            cooldown: cooldown.map(|until| text::moment(until, words)),
            notices: home.inbox.iter().map(|notice| NoticeLine::of(notice, words)).collect(),
            shell,
            words,
            home,
        }
    }
}

impl NoticeLine {
    fn of(notice: &Notice, words: &Words) -> Self {
        let when = text::moment(notice.at, words);
        let line = |href: &str, title: String, text: String, mark| Self {
            href: href.to_owned(),
            title,
            text,
            mark,
        };
        match &notice.kind {
            NoticeKind::Request { request, who } => line(
                &format!("/requests/{request}"),
                format!("{who} {}", words.home.asks),
                words.home.asks_text.to_owned(),
                "",
            ),
            NoticeKind::UnderWay { request, who } => line(
                &format!("/requests/{request}/result"),
                format!("{}: {who}", words.home.under_way),
                words.home.under_way_text.to_owned(),
                "",
            ),
            NoticeKind::Unfinished { request, who } => line(
                &format!("/requests/{request}/result"),
                format!("{who}: {}", words.home.unfinished),
                words.home.unfinished_text.to_owned(),
                "",
            ),
            NoticeKind::Tampered { member } => {
                line("/accesses", words.home.tampered.to_owned(), member.clone(), "urgent")
            }
            NoticeKind::AccountOpened { bank, .. } => {
                line("/consents", format!("{}: {bank}", words.home.opened), when, "")
            }
            NoticeKind::Reissued { title } => {
                let text = format!("{} · {when}", words.home.reissued);
                line("/credentials", title.clone(), text, "")
            }
            NoticeKind::Issued { title } => {
                let text = format!("{} · {when}", words.home.issued);
                line("/credentials", title.clone(), text, "")
            }
        }
    }
}

/// What went wrong on a page of the first section.
pub(super) fn failed(member: &Member, error: &WalletError) -> Response {
    page::failure(member, "home", error)
}
