//! The desks' words in their two languages, side by side.

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};

macro_rules! words {
    ($($name:ident: $english:literal, $azerbaijani:literal;)*) => {
        /// One language's words.
        #[derive(Debug, PartialEq, Eq)]
        pub(crate) struct Words {
            /// Its code (ISO 639-1).
            pub(crate) code: &'static str,
            /// The other language: its code and its own name.
            pub(crate) other: (&'static str, &'static str),
            $(pub(crate) $name: &'static str,)*
        }

        const ENGLISH: Words =
            Words { code: "en", other: ("az", "Azərbaycanca"), $($name: $english,)* };

        /// The terms are those of the laws and the banks' pages; a native speaker should confirm
        /// the rest.
        const AZERBAIJANI: Words =
            Words { code: "az", other: ("en", "English"), $($name: $azerbaijani,)* };
    };
}

words! {
    skip: "Skip to content", "Məzmuna keç";
    sign_in: "Sign in", "Daxil olun";
    sign_out: "Sign out", "Çıxış";
    signed_in_as: "Signed in as", "Daxil olub:";
    token: "Access token", "Giriş kodu";
    token_hint: "The one that your institution gave you.", "Qurumunuzun sizə verdiyi kod.";
    token_wrong: "This token opens nothing here.", "Bu kod burada heç nəyi açmır.";
    problem: "There is a problem", "Problem var";
    sections: "Sections", "Bölmələr";
    clerk_desk: "Register desk", "Reyestr masası";
    applications: "Applications", "Müraciətlər";
    application: "Application", "Müraciət";
    watch: "What to watch", "Nəzarət";
    all: "All", "Hamısı";
    state: "State", "Vəziyyət";
    product: "Product", "Məhsul";
    created: "Began", "Başlanıb";
    examination: "Examination", "Yoxlama";
    by_state: "Applications by state", "Vəziyyətə görə müraciətlər";
    none: "There is nothing here.", "Burada heç nə yoxdur.";
    presented: "What was presented", "Təqdim edilənlər";
    not_readable: "No consent in force allows to read it.",
        "Oxumağa icazə verən qüvvədə razılıq yoxdur.";
    evidence: "By which evidence", "Hansı sübutla";
    asked_as: "Asked as", "Sorğuda adı";
    issuer: "Issuer", "Verən";
    status_at: "Status at", "Statusu";
    level: "Level of assurance", "Etibarlılıq səviyyəsi";
    decision: "Decision", "Qərar";
    decided: "Decided", "Qərar vaxtı";
    renew: "To be renewed", "Yenilənməli";
    reused: "Reused from member", "Təkrar istifadə: üzv";
    reasons: "Reasons", "Səbəblər";
    causes: "Enhanced measures because of", "Gücləndirilmiş tədbirlərin səbəbi";
    lapses: "Lapses", "Müddəti bitir";
    prepared_by: "Prepared by", "Hazırlayıb";
    approved_by: "Approved by", "Təsdiq edib";
    refused_by: "Refused by", "İmtina edib";
    sources: "Sources of funds", "Vəsaitin mənbəyi";
    reason: "Reason", "Səbəb";
    prepare: "Record the preparation", "Hazırlığı qeyd et";
    prepare_lead: "Say where the money comes from and why the bank may take the customer.",
        "Pulun haradan gəldiyini və bankın müştərini niyə qəbul edə biləcəyini yazın.";
    approve: "Approve", "Təsdiq et";
    refuse: "Refuse", "İmtina et";
    decide_lead: "Approving checks consents, credentials and the screening again, and opens the \
                  account.",
        "Təsdiqdən sonra razılıqlar, sənədlər və yoxlama siyahıları yenidən yoxlanır və hesab \
         açılır.";
    four_eyes: "Somebody else of the role senior decides: you prepared it.",
        "Qərarı başqa böyük əməkdaş verir: siz hazırlamısınız.";
    senior_needed: "A member of the staff with the role senior decides.",
        "Qərarı böyük əməkdaş verir.";
    not_prepared: "Somebody must record a preparation first.",
        "Əvvəlcə kimsə hazırlığı qeyd etməlidir.";
    erasure: "Erasure", "Silinmə";
    erasures: "Erasures asked for", "Silinmə istəkləri";
    no_erasure: "Nobody asked to erase this person's data.",
        "Bu şəxsin məlumatlarının silinməsi istənilməyib.";
    requested: "Asked for", "İstənilib";
    due: "Due", "Son tarix";
    done: "Done", "Edilib";
    overdue: "Overdue", "Gecikib";
    in_time: "In time", "Vaxtında";
    holds: "What the law makes the bank keep", "Qanunun saxlanmasını tələb etdiyi";
    law: "Law", "Qanun";
    until: "Until", "Bu vaxtadək";
    accesses: "Who read this person's data", "Bu şəxsin məlumatlarını kim oxuyub";
    when: "When", "Nə vaxt";
    reader: "Reader", "Oxuyan";
    basis: "Basis", "Əsas";
    read: "What", "Nə";
    erasures_overdue: "Erasures overdue", "Gecikmiş silinmələr";
    erasures_open: "Erasures open", "Açıq silinmələr";
    examinations_waiting: "Waiting for an examination", "Yoxlama gözləyən";
    obligations_refused: "Obligations refused", "Rədd edilmiş öhdəliklər";
    notices_waiting: "Notices waiting", "Gözləyən bildirişlər";
    notice_wait: "the oldest for", "ən köhnəsi";
    lag_last: "Last change took", "Son dəyişiklik";
    lag_max: "the longest", "ən uzunu";
    obligations: "Obligations for reuse that the ledger refused",
        "Reyestrin rədd etdiyi təkrar istifadə öhdəlikləri";
    creditor: "Owed to member", "Kreditor üzv";
    fee: "Fee", "Haqq";
    refusal: "Refusal", "İmtina səbəbi";
    retry: "Tried again", "Yenidən cəhd";
    given_up: "Given up: settle it by agreement", "Dayandırılıb: razılaşma ilə həll edin";
    records_held: "Records kept for erased people", "Silinmiş şəxslərin saxlanan qeydləri";
    look_up: "Look up a person", "Şəxsi axtar";
    look_up_button: "Look up", "Axtar";
    look_up_lead: "Each look at a person leaves a record.",
        "Şəxsə hər baxış qeydə alınır.";
    subject: "Personal number (FİN) or tax number (VÖEN)", "FİN və ya VÖEN";
    subject_hint: "Seven characters, or ten digits for a company.",
        "Yeddi simvol, şirkət üçün on rəqəm.";
    person: "Person", "Şəxs";
    in_force: "In force", "Qüvvədədir";
    ended: "Ended", "Bitib";
    valid_until: "Valid until", "Etibarlıdır";
    credentials_issued: "Credentials issued", "Verilmiş sənədlər";
    credentials_revoked: "revoked", "ləğv edilib";
    change: "Record a change", "Dəyişikliyi qeyd et";
    claim: "Entry", "Sahə";
    claim_hint: "An entry of the record, such as address.city.",
        "Qeydin sahəsi, məsələn address.city.";
    value: "New value", "Yeni dəyər";
    value_hint: "Empty removes it.", "Boş buraxılsa, silinir.";
    change_button: "Record", "Qeyd et";
    end_record: "End the record", "Qeydi bitir";
    died: "The person died", "Şəxs vəfat edib";
    withdrawn: "Withdrawn", "Geri götürülüb";
    end_button: "End", "Bitir";
    revoke: "Revoke the credentials for cause", "Sənədləri səbəblə ləğv et";
    revoke_lead: "The register stays as it is; the person may fetch new ones.",
        "Reyestr dəyişmir; şəxs yenilərini ala bilər.";
    revoke_button: "Revoke", "Ləğv et";
    consents: "Consents in force", "Qüvvədə olan razılıqlar";
    consumer: "Member", "Üzv";
    purpose: "Purpose", "Məqsəd";
    receipts: "Who asked for what", "Kim nə istəyib";
    number: "Number", "Nömrə";
    anchored: "Anchored", "Lövbərlənib";
    acts: "What clerks did", "Əməkdaşlar nə edib";
    act: "Act", "Əməl";
    enrolments: "Enrolments", "Qeydiyyatlar";
    enrolled: "Enrolled", "Qeydiyyat";
    cooldown: "No new consents until", "Yeni razılıq yoxdur";
    recoveries: "Recoveries", "Bərpalar";
    opened: "Opened", "Açılıb";
    expires: "Expires", "Bitir";
    waiting: "Waiting", "Gözləyir";
    id: "Id", "Nömrəsi";
    notices: "Notices of change", "Dəyişiklik bildirişləri";
    recorded: "Recorded", "Qeyd edildi";
    nobody: "The register has nobody by this number.", "Reyestrdə bu nömrə ilə heç kim yoxdur.";
    note: "Times are Baku's. Each reading of a person's data is on record.",
        "Vaxtlar Bakı vaxtıdır. Şəxsi məlumatın hər oxunuşu qeydə alınır.";
}

/// The words of a language's code.
pub(crate) fn of_code(code: &str) -> Option<&'static Words> {
    match code {
        "az" => Some(&AZERBAIJANI),
        "en" => Some(&ENGLISH),
        _ => None,
    }
}

/// The words of `chosen`, or of what the browser asks for first.
pub(crate) fn choose(chosen: Option<&str>, headers: &HeaderMap) -> &'static Words {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let tags = asked.into_iter().flat_map(|list| list.split(','));
    let codes = tags.filter_map(|tag| tag.trim().get(..2));
    chosen.into_iter().chain(codes).find_map(of_code).unwrap_or(&ENGLISH)
}
