//! Memory in proportion to what is read. It is counted, so that no clock is needed: who copies again and again allocates again and again.

/// The most bytes that may be allocated for each byte that is read, all allocations together. An entry of a list like `{"id":1}` becomes a
/// structure of half a kilobyte, in a list that grows by doubling.
const PER_BYTE: u64 = 256;

/// What may be allocated for an empty input, in bytes.
const AT_LEAST: u64 = 64 * 1024;

/// Reads `length` bytes, with memory in proportion.
pub fn in_proportion<T>(length: usize, read: impl FnOnce() -> T) -> T {
    let mut outcome = None;
    let used = allocation_counter::measure(|| outcome = Some(read()));
    let allowed = AT_LEAST + PER_BYTE * length as u64;
    assert!(
        used.bytes_total <= allowed,
        "{} bytes were allocated to read {length}",
        used.bytes_total
    );
    outcome.expect("the closure was run")
}

/// Cuts a text everywhere, or at many places of a long one; what is left is shorter each time.
pub fn cuts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const PLACES: usize = 64;
    let step = text.len().div_ceil(PLACES).max(1);
    (0..text.len()).step_by(step).map(|end| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "bytes were allocated to read 1")]
    fn who_copies_again_and_again_is_noticed() {
        in_proportion(1, || {
            for _ in 0..100 {
                std::hint::black_box(vec![0_u8; 1024]);
            }
        });
    }

    #[test]
    fn a_short_text_is_cut_at_every_byte_and_a_long_one_at_many() {
        let lengths: Vec<_> = cuts(b"abc").map(<[u8]>::len).collect();
        assert_eq!(lengths, [0, 1, 2]);
        assert_eq!(cuts(&[0; 6400]).count(), 64);
        assert_eq!(cuts(b"").count(), 0);
    }
}
