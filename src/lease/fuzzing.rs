//! What the fuzz targets reach of a Lease's record.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::{gaps, record};

/// What a Lease says.
pub struct Record {
    /// Who holds it.
    pub holder: Option<String>,
    /// How long it lasts.
    pub duration: Duration,
    /// When it was renewed.
    pub renewed: Timestamp,
    /// Its version.
    pub version: u64,
    /// The gaps that it keeps.
    pub gaps: Vec<(Timestamp, Timestamp)>,
}

/// Reads a Lease.
pub fn read(lease: &Lease) -> Record {
    let gaps = record::gaps(lease).into_iter();
    Record {
        holder: record::holder(lease).map(str::to_owned),
        duration: record::duration(lease),
        renewed: record::renew_time(lease),
        version: record::version(lease),
        gaps: gaps.map(|gap| (gap.from, gap.to)).collect(),
    }
}

/// The Lease as it is renewed.
pub fn renewed(lease: &Lease) -> Lease {
    record::renewed(lease)
}

/// The Lease as `holder` takes it at `now`.
pub fn taken(lease: &Lease, holder: &str, now: Timestamp) -> Lease {
    let lasts = record::duration(lease);
    let gaps = gaps::after(record::gaps(lease), record::renew_time(lease), now, lasts);
    record::taken(lease, holder, lasts, &gaps)
}
