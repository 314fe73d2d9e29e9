//! Making numbers of people and businesses for samples. What such a number is, and how one is
//! read, is in [`etibar_credential::identifier`].

pub use etibar_credential::identifier::{Fin, LegalStatus, Voen};

/// The 34 characters of a FIN: capitals and digits without `I` and `O`.
const FIN_ALPHABET: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// How many FINs there are: 34^7.
pub(crate) const FIN_COUNT: u64 = 52_523_350_144;

/// The FIN with the number `index`, modulo how many there are.
pub(crate) fn fin_of_index(index: u64) -> Fin {
    let mut rest = index % FIN_COUNT;
    let mut text = [0; 7];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(rest % 34).expect("below 34");
        *place = FIN_ALPHABET[digit];
        rest /= 34;
    }
    let text = std::str::from_utf8(&text).expect("the alphabet is ASCII");
    Fin::parse(text).expect("made of seven letters of the alphabet")
}

/// The VÖEN with this six-digit serial in the first territory that ends with the digit
/// `territory` and gives a check digit.
pub(crate) fn voen_of_serial(territory: u8, serial: u32, status: LegalStatus) -> Voen {
    let end = if status == LegalStatus::LegalPerson { '1' } else { '2' };
    for tens in 1..10 {
        let body = format!("{tens}{}{:06}", territory % 10, serial % 1_000_000);
        let body: &[u8; 8] = body.as_bytes().try_into().expect("two digits and six");
        if let Some(check) = Voen::check_digit(body) {
            let body = std::str::from_utf8(body).expect("eight digits");
            let text = format!("{body}{}{end}", char::from(check));
            return Voen::parse(&text).expect("made of ten digits with its check digit");
        }
    }
    unreachable!("another territory changes the sum by 4, which is 10 modulo 11 only once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_fin_are_numbered() {
        assert_eq!(fin_of_index(0).expose(), "0000000");
        assert_eq!(fin_of_index(FIN_COUNT - 1).expose(), "ZZZZZZZ");
        assert_eq!(fin_of_index(FIN_COUNT), fin_of_index(0));
    }

    #[test]
    fn every_serial_has_a_voen_of_each_kind() {
        for serial in 0..20_000 {
            for status in [LegalStatus::NaturalPerson, LegalStatus::LegalPerson] {
                assert_eq!(voen_of_serial(4, serial * 49, status).legal_status(), status);
            }
        }
    }
}
