//! Certificates as text (RFC 7468), the way authorities and operators exchange them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const CERTIFICATE: &str = "CERTIFICATE";
const REQUEST: &str = "CERTIFICATE REQUEST";
/// Characters of base64 in one line (RFC 7468 §2).
const LINE: usize = 64;

/// `chain`, DER, one block after the other.
pub fn chain_to_pem(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| block(CERTIFICATE, der)).collect()
}

/// A certification request, DER, as a block.
pub fn request_to_pem(der: &[u8]) -> String {
    block(REQUEST, der)
}

/// The certificates in `text`, DER, in their order; what stands around the blocks is passed over
/// (RFC 7468 §2). `None` when there is none, or a block is not whole.
pub fn chain_from_pem(text: &str) -> Option<Vec<Vec<u8>>> {
    let (begin, end) = (boundary("BEGIN", CERTIFICATE), boundary("END", CERTIFICATE));
    let mut chain = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.by_ref().any(|line| line == begin) {
        let mut body = String::new();
        loop {
            match lines.next()? {
                line if line == end => break,
                line => body.push_str(line),
            }
        }
        chain.push(STANDARD.decode(body).ok()?);
    }
    (!chain.is_empty()).then_some(chain)
}

fn boundary(word: &str, label: &str) -> String {
    format!("-----{word} {label}-----")
}

fn block(label: &str, der: &[u8]) -> String {
    let mut text = boundary("BEGIN", label) + "\n";
    let body = STANDARD.encode(der);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + &boundary("END", label) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_read_as_it_was_written_and_with_words_around_it() {
        let chain = vec![vec![1; 48], vec![2; 100], vec![3; 1]];
        let text = chain_to_pem(&chain);
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert_eq!(chain_from_pem(&text), Some(chain.clone()));
        let with_words = format!("subject=O = Bank\r\n{}the end", text.replace('\n', "\r\n"));
        assert_eq!(chain_from_pem(&with_words), Some(chain));
    }

    #[test]
    fn what_is_no_whole_chain_is_none() {
        let text = chain_to_pem(&[vec![1; 48]]);
        let cut = text.strip_suffix("-----END CERTIFICATE-----\n").expect("the end");
        let request = request_to_pem(&[1; 48]);
        for wrong in ["", "words", cut, &text.replace("AQ", "A!"), &request] {
            assert_eq!(chain_from_pem(wrong), None, "{wrong}");
        }
    }
}
