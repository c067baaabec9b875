//! From when until when the certificate of an X.509 service key is valid.

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// The end of a certificate is told this long before at the most.
const LONGEST_WARNING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The last part of its life in which the end of a certificate is told: a quarter, which is 42 hours of the 7 days that SAP gives unless asked for more.
const LAST_PART: i32 = 4;

/// From when until when a certificate is valid, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validity {
    /// The first moment at which it is valid.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub not_before: Timestamp,
    /// The last moment at which it is valid.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub not_after: Timestamp,
}

impl Validity {
    /// That of the first certificate of a chain in PEM, which is the owner's. None where it cannot be read, or where it has no end (RFC 5280 gives
    /// such a one the last second of the year 9999).
    pub(super) fn of_chain(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            not_before: timestamp(validity.not_before)?,
            not_after: timestamp(validity.not_after)?,
        })
    }

    /// From when on its end is told: in the last quarter of its life, and 30 days before at the earliest.
    #[must_use]
    pub fn warn_from(&self) -> Timestamp {
        let life = self.not_after.duration_since(self.not_before);
        let warning = (life.max(SignedDuration::ZERO) / LAST_PART).min(LONGEST_WARNING);
        self.not_after - warning
    }

    /// Whether it is not valid any more.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now > self.not_after
    }
}

fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn validity(not_before: &str, not_after: &str) -> Validity {
        Validity {
            not_before: not_before.parse().unwrap(),
            not_after: not_after.parse().unwrap(),
        }
    }

    fn pem(from: i32, until: (i32, u8, u8)) -> String {
        let mut parameters = CertificateParams::new(vec!["client".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(from, 1, 1);
        parameters.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn the_owners_certificate_counts_and_not_those_of_its_issuers() {
        let chain = pem(2026, (2026, 1, 8)) + &pem(2020, (2030, 1, 1));
        let expected = validity("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z");
        assert_eq!(Validity::of_chain(&chain), Some(expected));
        // The years from 2050 on are written in another way.
        let far = Validity::of_chain(&pem(2026, (2060, 1, 1))).unwrap();
        assert_eq!(far.not_after.to_string(), "2060-01-01T00:00:00Z");
    }

    #[test]
    fn what_cannot_be_read_or_has_no_end_is_not_told() {
        assert_eq!(Validity::of_chain("not a certificate"), None);
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(Validity::of_chain(broken), None);
        assert_eq!(Validity::of_chain(&pem(2026, (9999, 12, 31))), None);
    }

    #[test]
    fn the_end_is_told_in_the_last_quarter_and_a_month_before_at_the_earliest() {
        let from = |not_before, not_after| {
            let warn_from = validity(not_before, not_after).warn_from();
            warn_from.to_string()
        };
        let week = from("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z");
        assert_eq!(week, "2026-01-06T06:00:00Z");
        let year = from("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!(year, "2026-12-02T00:00:00Z");
        let backwards = from("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        assert_eq!(backwards, "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_certificate_is_valid_in_its_last_second() {
        let week = validity("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z");
        assert!(!week.is_over("2026-01-08T00:00:00Z".parse().unwrap()));
        assert!(week.is_over("2026-01-08T00:00:01Z".parse().unwrap()));
    }
}
