//! New accounts in the sample book.

use etibar_primitives::{Amount, OperationId};

use super::{
    BookStatus,
    sample::{SampleBook, iban},
};
use crate::{
    payment::{CustomerAccount, PersonName},
    store::{StoreFault, row},
};

/// Where the numbers of ordered accounts begin, well above those of the invented customers.
const FIRST: u32 = 100_000_000;

impl SampleBook {
    /// Opens an empty account for the order `id`; the same order again gets the same account.
    pub(super) async fn open_ordered(
        &self,
        id: OperationId,
        bank_code: &str,
        holder: &PersonName,
    ) -> Result<CustomerAccount, StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let known: Option<String> = sqlx::query_scalar("SELECT number FROM opening WHERE id = ?")
            .bind(id.to_bytes().to_vec())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(number) = known {
            return Ok(CustomerAccount::new(&number));
        }
        let opened: i64 =
            sqlx::query_scalar("SELECT count(*) FROM opening").fetch_one(&mut *transaction).await?;
        let place = u32::try_from(opened).ok().and_then(|opened| FIRST.checked_add(opened));
        let number = iban(bank_code, place.ok_or(StoreFault::Row("number of accounts"))?);
        sqlx::query(
            "INSERT INTO account (number, holder, status, balance, held) VALUES (?, ?, ?, ?, 0)",
        )
        .bind(number.clone())
        .bind(holder.expose().to_owned())
        .bind(BookStatus::Open.code())
        .bind(row::integer(Amount::ZERO.minor_units()))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO opening (id, number) VALUES (?, ?)")
            .bind(id.to_bytes().to_vec())
            .bind(number.clone())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(CustomerAccount::new(&number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{book::CoreBanking as _, store::Durability};

    #[tokio::test]
    async fn an_order_opens_one_account_however_often_it_is_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let book = SampleBook::open(folder.path(), Durability::Process).await.expect("a book");
        let holder = PersonName::new("Sample Customer");
        let open = |id| book.open_account(OperationId(id), "AIIB", &holder);
        let first = open(1).await.expect("an account");
        assert_eq!(open(1).await.expect("the same"), first);
        let second = open(2).await.expect("another");
        assert_ne!(second, first);
        assert_eq!(first.expose().len(), 28);
        assert!(first.expose().starts_with("AZ"));
        let accounts = book.accounts(None, 10).await.expect("accounts");
        let count = accounts.iter().filter(|its| its.number == first).count();
        assert_eq!(count, 1);
    }
}
