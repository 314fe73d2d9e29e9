//! Reading a genesis, and `etibar genesis show`.

use std::{fs, path::Path, process::ExitCode};

use etibar_ledger::Genesis;
use etibar_primitives::Amount;

use crate::failure::{self, Failure};

/// Reads and checks a genesis file.
pub(crate) fn read(path: &Path) -> Result<Genesis, Failure> {
    let text = fs::read(path).map_err(failure::file("read", path))?;
    let form = |why: String| Failure::Form { path: path.into(), what: "genesis", why };
    let genesis: Genesis =
        serde_json::from_slice(&text).map_err(|error| form(error.to_string()))?;
    genesis.check().map_err(|error| form(error.to_string()))?;
    Ok(genesis)
}

/// Prints what all members of the network agreed on.
pub(crate) fn show(path: &Path) -> Result<ExitCode, Failure> {
    let genesis = read(path)?;
    println!("network     {}", genesis.name);
    println!("id          {}", genesis.network());
    println!("validators  {}", genesis.validators.len());
    for key in &genesis.validators {
        println!("            {key}");
    }
    println!("members     {}", genesis.members.len());
    for member in &genesis.members {
        println!("{:>10}  {:<8}  {}", member.id, member.bic.as_str(), member.name);
    }
    println!("accounts    {}", genesis.accounts.len());
    for account in &genesis.accounts {
        let kind = format!("{:?}", account.kind).to_lowercase();
        let opening = manats(account.opening);
        println!("{:>10}  of {:<4} {kind:<11} {opening:>20} AZN", account.id, account.owner);
    }
    for (parameter, value) in &genesis.parameters {
        println!("parameter   {parameter:?} = {value}");
    }
    for its in &genesis.issuers {
        println!(
            "issuer      {:<4} of {}, up to {:?}",
            its.member, its.credential_type, its.ceiling
        );
    }
    for its in &genesis.purposes {
        println!(
            "purpose     {:<4} scope {:#010x}, document {}",
            its.code.0, its.scope.0, its.document
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// `1 234,56`: as people in Azerbaijan write amounts, with no-break spaces between thousands.
pub(crate) fn manats(amount: Amount) -> String {
    let whole = (amount.minor_units() / 100).to_string();
    let mut text = String::with_capacity(whole.len() + whole.len() / 3 + 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    format!("{text},{:02}", amount.minor_units() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_a_decimal_comma_and_grouped_thousands() {
        let written = |minor| manats(Amount::new(minor).unwrap());
        assert_eq!(written(0), "0,00");
        assert_eq!(written(7), "0,07");
        assert_eq!(written(123_456), "1\u{a0}234,56");
        assert_eq!(written(100_000_000), "1\u{a0}000\u{a0}000,00");
        assert_eq!(written(99_999), "999,99");
    }
}
