//! RVL, a lossless code for depth images.
//!
//! A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017,
//! <https://doi.org/10.1145/3132272.3134144>.
//!
//! The stream is a row-major image as alternating runs: how many pixels are zero, how many are not,
//! then for each of the latter its difference from the last one that was not zero. Every number is a
//! chain of nibbles with three bits each, low bits first, the fourth bit set on all but the last;
//! differences are folded to 0, −1, 1, −2, … first. Nibbles fill little-endian 32-bit words from the
//! top, and zero nibbles the end of the last word.

/// Nibbles of a run's length: 27 bits, more than any image that is accepted has pixels.
const RUN_NIBBLES: u32 = 9;
/// Nibbles of a difference: folded differences of 16-bit values have 17 bits.
const DIFFERENCE_NIBBLES: u32 = 6;

/// Hands the `pixels` values of `data` to `pixel` one by one. Ends with an error as soon as the stream
/// and that number disagree; nothing here takes memory.
pub(super) fn decode_rvl(data: &[u8], pixels: usize, mut pixel: impl FnMut(u16)) -> Result<(), String> {
    let (words, rest) = data.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("expected whole 4-byte words, found {} bytes", data.len()));
    }
    let mut nibbles = Nibbles { words, word: 0, left: 0 };
    let mut missing = pixels;
    let mut last = 0_i32;
    while missing > 0 {
        for is_zero in [true, false] {
            let run = nibbles.number(RUN_NIBBLES)? as usize;
            missing = missing
                .checked_sub(run)
                .ok_or_else(|| format!("expected {pixels} pixels, found a run beyond the last"))?;
            for _ in 0..run {
                if is_zero {
                    pixel(0);
                    continue;
                }
                let folded = nibbles.number(DIFFERENCE_NIBBLES)?;
                // At most 18 bits, so that no sum leaves 32.
                last += (folded >> 1) as i32 ^ -((folded & 1) as i32);
                pixel(u16::try_from(last).map_err(|_| format!("expected values of 16 bits, found {last}"))?);
            }
        }
    }
    match nibbles.words.len() {
        0 => Ok(()),
        words => Err(format!("expected the stream to end after {pixels} pixels, found {words} more words")),
    }
}

struct Nibbles<'a> {
    words: &'a [[u8; 4]],
    word: u32,
    /// Nibbles of `word` that are not read yet
    left: u32,
}

impl Nibbles<'_> {
    /// The next number, of at most `limit` nibbles.
    fn number(&mut self, limit: u32) -> Result<u32, String> {
        let mut value = 0;
        for place in 0..limit {
            if self.left == 0 {
                let (word, rest) =
                    self.words.split_first().ok_or("expected more data, found the end of the stream")?;
                (self.word, self.words, self.left) = (u32::from_le_bytes(*word), rest, 8);
            }
            let nibble = self.word >> 28;
            self.word <<= 4;
            self.left -= 1;
            value |= (nibble & 7) << (3 * place);
            if nibble & 8 == 0 {
                return Ok(value);
            }
        }
        Err(format!("expected a number of at most {limit} nibbles, found a longer one"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(data: &[u8], pixels: usize) -> Result<Vec<u16>, String> {
        let mut out = Vec::new();
        decode_rvl(data, pixels, |value| out.push(value)).map(|()| out)
    }

    /// Words from nibbles, the first one highest.
    fn words(nibbles: &[u32]) -> Vec<u8> {
        let word = |chunk: &[u32]| {
            chunk.iter().enumerate().fold(0, |word, (i, nibble)| word | nibble << (28 - 4 * i))
        };
        nibbles.chunks(8).flat_map(|chunk| word(chunk).to_le_bytes()).collect()
    }

    #[test]
    fn a_stream_written_by_hand_is_read() {
        // Two zeros; three values 5, 4, 4: differences 5, −1, 0, folded 10 = 0b001_010, 1, 0; one zero; none.
        let data = words(&[2, 3, 0b1010, 1, 1, 0, 1, 0]);
        assert_eq!(decode(&data, 6), Ok(vec![0, 0, 5, 4, 4, 0]));
    }

    #[test]
    fn streams_that_disagree_with_their_size_are_errors() {
        let data = words(&[2, 3, 0b1010, 1, 1, 0, 1, 0]);
        for (pixels, reason) in [(4, "beyond"), (7, "end of the stream"), (usize::MAX, "end of the stream")] {
            let error = decode(&data, pixels).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(decode(&[data.clone(), vec![0; 4]].concat(), 6).unwrap_err().contains("1 more"));
        assert!(decode(&data[..3], 6).unwrap_err().contains("whole"));
        assert!(decode(&words(&[15; 16]), 6).unwrap_err().contains("9 nibbles"));
        // No zeros, one value of difference −1.
        assert!(decode(&words(&[0, 1, 1]), 1).unwrap_err().contains("-1"));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_result(
            data in prop::collection::vec(any::<u8>(), 0..64),
            pixels in prop_oneof![0_usize..100, 0..=usize::MAX],
        ) {
            let mut found = 0_usize;
            let limit = 9_usize << 27;
            let result = decode_rvl(&data, pixels.min(limit), |_| found += 1);
            prop_assert!(found <= pixels);
            prop_assert!(result.is_err() || found == pixels.min(limit));
        }
    }
}
