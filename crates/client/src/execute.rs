//! Executing: submit, wait for the outcome, verify its proof.

use etibar_ledger::{Operation, operation::OPERATION_BYTES};
use tokio::time::Instant;

use crate::{
    client::Client,
    config::{BACKOFF_MAX, EXECUTE_DEADLINE, EXECUTE_OPERATIONS_MAX, RECEIPT_WAIT},
    error::{ExecuteError, ReadError, SubmitError},
    verify::VerifiedReceipt,
};

impl Client {
    /// Has `operation` executed and gives the verified proof of its outcome, which may be a
    /// refusal: see [`VerifiedReceipt::outcome`]. Submits again when the transaction was lost.
    ///
    /// The same operation may be executed any number of times: its id makes sure that it is done
    /// once, and each call gives the same receipt as long as the network remembers the id.
    ///
    /// # Errors
    /// After a transient error, see [`ExecuteError::is_transient`], the operation may still be
    /// executed.
    pub async fn execute(&self, operation: Operation) -> Result<VerifiedReceipt, ExecuteError> {
        let receipts = self.execute_all(&[operation]).await?;
        Ok(receipts.into_iter().next().expect("one operation has one receipt"))
    }

    /// Like [`Client::execute`] for up to [`EXECUTE_OPERATIONS_MAX`] operations in one
    /// transaction: the proof of each, in order. For more, submit and follow the events.
    ///
    /// # Errors
    /// Some operations may have been executed; the same call again tells.
    pub async fn execute_all(
        &self,
        operations: &[Operation],
    ) -> Result<Vec<VerifiedReceipt>, ExecuteError> {
        if operations.len() > EXECUTE_OPERATIONS_MAX {
            return Err(ExecuteError::Count(operations.len()));
        }
        let deadline = Instant::now() + EXECUTE_DEADLINE;
        let mut receipts = Vec::with_capacity(operations.len());
        let mut submitted = false;
        while let Some(operation) = operations.get(receipts.len()) {
            if !submitted {
                self.submit_until(operations, deadline).await?;
                submitted = true;
            }
            let found = self.receipt_within(self.member(), operation.id, RECEIPT_WAIT).await;
            match found {
                Ok(Some((_, receipt))) => {
                    check_own(operation, &receipt)?;
                    receipts.push(receipt);
                }
                Ok(None) | Err(ReadError::Unreachable(_)) if Instant::now() >= deadline => {
                    return Err(ExecuteError::Deadline(operation.id));
                }
                // Nobody who knows has it: the transaction was lost, or waits for a block.
                Ok(None) => submitted = false,
                Err(ReadError::Unreachable(_)) => tokio::time::sleep(BACKOFF_MAX).await,
                Err(error) => return Err(error.into()),
            }
        }
        if operations.is_empty() { Err(SubmitError::Count(0).into()) } else { Ok(receipts) }
    }

    /// Submits; tries again while nobody answers and there is time.
    async fn submit_until(
        &self,
        operations: &[Operation],
        deadline: Instant,
    ) -> Result<(), ExecuteError> {
        loop {
            match self.submit(operations).await {
                Ok(_) => return Ok(()),
                // An attempt lasts seconds itself, so no pause is needed in between.
                Err(error) if error.is_transient() && Instant::now() < deadline => {
                    tracing::warn!(code = error.code(), "submitting again: {error}");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The receipt is of these very bytes: the id was not used for something else.
fn check_own(operation: &Operation, receipt: &VerifiedReceipt) -> Result<(), ExecuteError> {
    let bytes: [u8; OPERATION_BYTES] = operation.encode();
    if receipt.event.operation == bytes { Ok(()) } else { Err(ExecuteError::IdTaken(operation.id)) }
}
