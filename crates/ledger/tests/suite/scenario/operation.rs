//! The operations of a scenario's lines.

use etibar_ledger::operation::{
    AccountOpening, AccountStatus, Action, AliasRemoval, AliasSetting, AssuranceLevel, Bic,
    ConsentGrant, ConsentRevocation, EvidenceAnchor, Excluded, FloorSetting, IssuerRegistration,
    IssuerRevocation, KeyGrant, KeyRevocation, KycReuse, LiabilityClass, MemberAdmission,
    MemberStatus, MemberStatusSetting, ObligationsSettlement, ParameterSetting, PurposeCode,
    PurposeRegistration, PurposeRetirement, ReasonCode, Scope, StatusListAnchor, StatusSetting,
    Transfer, TransferKind,
};
use etibar_primitives::{Currency, DurationMs};

use super::{
    AccountKind, Amount, Checked, MemberId, MemberRole, OPERATION_BYTES, Operation, OperationId,
    Outcome, Parameter, Scene, named, parse, text, world,
};

impl Scene {
    /// The bytes of the operation that `words` describe.
    pub(super) fn operation(
        &mut self,
        member: MemberId,
        linked: bool,
        words: &[&str],
    ) -> Checked<[u8; OPERATION_BYTES]> {
        let [name, id, rest @ ..] = words else { return Err("no operation".to_owned()) };
        if *name == "again" {
            let sent = self.sent.get(&(member, (*id).to_owned()));
            return sent.copied().ok_or(format!("{id} was never sent"));
        }
        let key = (member, (*id).to_owned());
        let id = self.id(id);
        let bytes = if *name == "malformed" {
            let mut bytes = [0xff; OPERATION_BYTES];
            bytes[..16].copy_from_slice(&id.to_bytes());
            bytes[18] = u8::from(linked);
            bytes
        } else {
            Operation { id, linked, action: self.action(name, rest)? }.encode()
        };
        self.sent.insert(key, bytes);
        Ok(bytes)
    }

    fn action(&mut self, name: &str, rest: &[&str]) -> Checked<Action> {
        match (name, rest) {
            ("direct", rest) => self.transfer(TransferKind::Direct, rest),
            ("reserve", rest) => self.transfer(TransferKind::Reserve, rest),
            ("issue", rest) => self.transfer(TransferKind::Issue, rest),
            ("redeem", rest) => self.transfer(TransferKind::Redeem, rest),
            ("post", rest) => self.end(TransferKind::Post, rest),
            ("void", rest) => self.end(TransferKind::Void, rest),
            ("open", [account, owner, account_kind, currency @ ..]) => {
                let currency = currency.first().map_or(Ok(Currency::AZN), |its| money(its))?;
                let zero = *account == "zero";
                let account = if zero { None } else { Some(self.name_account(account)) };
                Ok(Action::OpenAccount(AccountOpening {
                    account: account.unwrap_or(etibar_primitives::AccountId(0)),
                    owner: self.member(owner)?,
                    kind: kind(account_kind)?,
                    currency,
                }))
            }
            ("account-status", [account, status]) => {
                let status = pick(
                    status,
                    &[
                        ("open", AccountStatus::Open),
                        ("frozen", AccountStatus::Frozen),
                        ("closed", AccountStatus::Closed),
                    ],
                )?;
                let account = self.account(account)?;
                Ok(Action::SetAccountStatus(StatusSetting { account, status }))
            }
            ("floor", [account, floor]) => {
                let (account, floor) = (self.account(account)?, amount(floor)?);
                Ok(Action::SetFloor(FloorSetting { account, floor }))
            }
            _ => self.organisation(name, rest),
        }
    }

    fn organisation(&mut self, name: &str, rest: &[&str]) -> Checked<Action> {
        match (name, rest) {
            ("admit", [member, its_role]) => {
                let next = MemberId(u32::try_from(self.members.len()).map_err(text)? + 1);
                let member = *self.members.entry((*member).to_owned()).or_insert(next);
                let bic = Bic::new("NEWBAZ22").ok_or("no BIC")?;
                Ok(Action::AdmitMember(MemberAdmission { member, role: role(its_role)?, bic }))
            }
            ("member-status", [member, status]) => {
                let status = pick(
                    status,
                    &[("active", MemberStatus::Active), ("suspended", MemberStatus::Suspended)],
                )?;
                let member = self.member(member)?;
                Ok(Action::SetMemberStatus(MemberStatusSetting { member, status }))
            }
            ("grant-key", [member, key, from, until]) => Ok(Action::GrantKey(KeyGrant {
                member: self.member(member)?,
                key: self.key(key),
                valid_from: self.moment(from)?,
                valid_until: self.moment(until)?,
            })),
            ("revoke-key", [member, key]) => {
                let (member, key) = (self.member(member)?, self.key(key));
                Ok(Action::RevokeKey(KeyRevocation { member, key }))
            }
            ("parameter", [name, value, from]) => Ok(Action::SetParameter(ParameterSetting {
                parameter: parameter(name)?,
                value: parse(value)?,
                effective_from: self.moment(from)?,
            })),
            _ => self.registry(name, rest),
        }
    }

    fn registry(&mut self, name: &str, rest: &[&str]) -> Checked<Action> {
        match (name, rest) {
            ("alias", [tag]) => {
                Ok(Action::SetAlias(AliasSetting { tag: named(tag), locator: [7; 16] }))
            }
            ("remove-alias", [tag]) => Ok(Action::RemoveAlias(AliasRemoval { tag: named(tag) })),
            ("evidence", [count, from, until]) => Ok(Action::AnchorEvidence(EvidenceAnchor {
                root: named("root"),
                count: parse(count)?,
                from: self.moment(from)?,
                until: self.moment(until)?,
            })),
            ("consent", [rel, provider, until]) => {
                self.registry("consent", &[rel, provider, until, "1", "1"])
            }
            ("consent", [rel, provider, until, purpose, scope]) => {
                Ok(Action::GrantConsent(ConsentGrant {
                    rel: named(rel),
                    commitment: named("artefact"),
                    provider: self.member(provider)?,
                    expires: self.moment(until)?,
                    purpose: PurposeCode(parse(purpose)?),
                    scope: Scope(parse(scope)?),
                }))
            }
            ("revoke-consent", [rel]) => {
                Ok(Action::RevokeConsent(ConsentRevocation { rel: named(rel) }))
            }
            ("issuer", [member, credential, from, until]) => {
                Ok(Action::RegisterIssuer(IssuerRegistration {
                    member: self.member(member)?,
                    credential_type: named(credential),
                    certificate: named("certificate"),
                    ceiling: AssuranceLevel::High,
                    valid_from: self.moment(from)?,
                    valid_until: self.moment(until)?,
                }))
            }
            ("revoke-issuer", [member, credential]) => Ok(Action::RevokeIssuer(IssuerRevocation {
                member: self.member(member)?,
                credential_type: named(credential),
            })),
            _ => self.identity(name, rest),
        }
    }

    fn identity(&mut self, name: &str, rest: &[&str]) -> Checked<Action> {
        match (name, rest) {
            ("purpose", [code, scope, duration]) => {
                Ok(Action::RegisterPurpose(PurposeRegistration {
                    code: PurposeCode(parse(code)?),
                    scope: Scope(parse(scope)?),
                    duration_max: DurationMs(parse(duration)?),
                    document: named("document"),
                }))
            }
            ("retire-purpose", [code]) => {
                Ok(Action::RetirePurpose(PurposeRetirement { code: PurposeCode(parse(code)?) }))
            }
            ("status-list", [list, counter]) => Ok(Action::AnchorStatusList(StatusListAnchor {
                list: parse(list)?,
                counter: parse(counter)?,
                digest: named("list"),
            })),
            ("reuse", [provider, fee]) => self.reuse(provider, fee, "+0"),
            ("reuse", [provider, fee, "created", moment]) => self.reuse(provider, fee, moment),
            ("settle", excluded) => {
                let members = excluded.iter().map(|name| self.member(name));
                let members = members.collect::<Checked<Vec<_>>>()?;
                let excluded = Excluded::new(&members).ok_or("no set of members")?;
                Ok(Action::SettleObligations(ObligationsSettlement { excluded }))
            }
            _ => Err(format!("no operation {name} with {} words", rest.len())),
        }
    }

    fn reuse(&self, provider: &str, fee: &str, created: &str) -> Checked<Action> {
        Ok(Action::ReuseKyc(KycReuse {
            provider: self.member(provider)?,
            fee: amount(fee)?,
            liability: LiabilityClass::Relying,
            commitment: named("reuse"),
            created: self.moment(created)?,
        }))
    }

    fn end(&mut self, kind: TransferKind, words: &[&str]) -> Checked<Action> {
        let [reserve, rest @ ..] = words else { return Err("no reserve".to_owned()) };
        let pending = self.id(reserve);
        match self.transfer(kind, rest)? {
            Action::Transfer(kind, transfer) => {
                Ok(Action::Transfer(kind, Transfer { pending, ..transfer }))
            }
            other => Ok(other),
        }
    }

    fn transfer(&mut self, kind: TransferKind, words: &[&str]) -> Checked<Action> {
        let [debit, credit, sum, options @ ..] = words else { return Err("no pair".to_owned()) };
        let (debit, credit) = (self.account(debit)?, self.account(credit)?);
        let mut transfer = Transfer::new(debit, credit, amount(sum)?, self.now());
        if kind == TransferKind::Reserve {
            transfer.expires = self.moment("+1000")?;
        }
        for option in options.chunks(2) {
            match *option {
                ["created", moment] => transfer.created = self.moment(moment)?,
                ["expires", moment] => transfer.expires = self.moment(moment)?,
                ["pending", id] => transfer.pending = self.id(id),
                ["reason", code] => transfer.reason = ReasonCode::new(code).ok_or("no reason")?,
                ["commitment", name] => transfer.commitment = named(name),
                _ => return Err(format!("no option {option:?}")),
            }
        }
        Ok(Action::Transfer(kind, transfer))
    }

    /// A key by name; `key:MEMBER` is the one that a member has from the genesis on.
    fn key(&self, name: &str) -> etibar_primitives::key::PublicKey {
        let member = name.strip_prefix("key:").and_then(|name| self.members.get(name));
        member.map_or_else(|| world::key(name), |member| world::key_of(*member))
    }

    pub(super) fn name_of(&self, id: OperationId) -> &str {
        self.names.get(&id).map_or("?", String::as_str)
    }
}

fn pick<T: Copy>(word: &str, table: &[(&str, T)]) -> Checked<T> {
    let found = table.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or(format!("{word} is not known here"))
}

fn amount(word: &str) -> Checked<Amount> {
    if word == "max" { Ok(Amount::MAX) } else { Amount::new(parse(word)?).map_err(text) }
}

fn money(word: &str) -> Checked<Currency> {
    word.as_bytes().try_into().ok().and_then(Currency::new).ok_or(format!("no currency {word}"))
}

pub(super) fn kind(word: &str) -> Checked<AccountKind> {
    pick(
        word,
        &[
            ("settlement", AccountKind::Settlement),
            ("prefund", AccountKind::Prefund),
            ("issue", AccountKind::Issue),
            ("escrow", AccountKind::Escrow),
            ("fee", AccountKind::Fee),
            ("treasury", AccountKind::Treasury),
        ],
    )
}

pub(super) fn role(word: &str) -> Checked<MemberRole> {
    pick(
        word,
        &[
            ("operator", MemberRole::Operator),
            ("bank", MemberRole::Bank),
            ("agency", MemberRole::Agency),
        ],
    )
}

pub(super) fn parameter(word: &str) -> Checked<Parameter> {
    pick(
        word,
        &[
            ("instant_amount_max", Parameter::InstantAmountMax),
            ("reserve_duration_max_ms", Parameter::ReserveDurationMaxMs),
            ("id_retention_ms", Parameter::IdRetentionMs),
            ("transaction_validity_max_ms", Parameter::TransactionValidityMaxMs),
            ("consent_duration_max_ms", Parameter::ConsentDurationMaxMs),
            ("consent_retention_ms", Parameter::ConsentRetentionMs),
            ("consents_per_member_max", Parameter::ConsentsPerMemberMax),
            ("reuse_fee_max", Parameter::ReuseFeeMax),
        ],
    )
}

pub(super) fn outcome(word: &str) -> Checked<Outcome> {
    let found = Outcome::ALL.iter().find(|outcome| outcome.name() == word);
    found.copied().ok_or(format!("no outcome {word}"))
}
