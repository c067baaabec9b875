//! Ids as AI Core makes them.

/// A deployment id: `d` and 15 hexadecimal digits in lower case.
pub(crate) fn new_deployment_id() -> String {
    format!("d{:015x}", rand::random::<u64>() >> 4)
}
