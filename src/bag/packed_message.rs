//! Messages that rosbag2 compressed one by one (`compression_mode: message`): the data of each is a
//! zstd frame, RFC 8878.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name, get_frame_content_size};

use super::packed_file::ZSTD_MAGIC;

/// Largest message accepted, as in storage without compression.
const MESSAGE_LIMIT: usize = 512 << 20;

/// Most bytes that one block of a frame can give, and the fewest bytes it can take (RFC 8878
/// §3.1.1.2). A frame that claims more than its blocks can give is not believed.
const BLOCK_LIMIT: usize = 128 << 10;
const BLOCK_HEADER_BYTES: usize = 3;

/// Whether `data` is a zstd frame. No CDR message is: its first byte is 0.
pub fn is_packed(data: &[u8]) -> bool {
    data.starts_with(&ZSTD_MAGIC)
}

/// Decompresses messages; keeps zstd's working memory from one to the next.
pub struct MessageUnpacker(DCtx<'static>);

impl MessageUnpacker {
    /// `None` if there is no memory for it.
    pub fn new() -> Option<Self> {
        DCtx::try_create().map(Self)
    }

    /// The message inside `frame`; the error says what was expected and what was found.
    pub fn unpack(&mut self, frame: &[u8]) -> Result<Vec<u8>, String> {
        if !is_packed(frame) {
            let start = frame.get(..4.min(frame.len())).unwrap_or_default();
            return Err(format!(
                "expected a zstd frame, found {} bytes that start with '{}'",
                frame.len(),
                start.escape_ascii()
            ));
        }
        let code = |code| format!("damaged zstd frame of {} bytes: {}", frame.len(), get_error_name(code));
        let claimed = get_frame_content_size(frame)
            .map_err(|_| format!("damaged zstd frame of {} bytes: no valid header", frame.len()))?;
        // What the blocks can give bounds the memory taken, whatever the header claims.
        let possible = (frame.len() / BLOCK_HEADER_BYTES).saturating_mul(BLOCK_LIMIT);
        let most = possible.min(MESSAGE_LIMIT);
        if let Some(claimed) = claimed
            && claimed > most as u64
        {
            return Err(format!(
                "zstd frame of {} bytes claims {claimed} bytes of content, at most {most} are possible",
                frame.len()
            ));
        }
        self.0.reset(ResetDirective::SessionOnly).map_err(code)?;
        let first = claimed.map_or_else(|| frame.len().saturating_mul(4).min(most), |bytes| bytes as usize);
        let mut message = Vec::with_capacity(first.max(1));
        let mut input = InBuffer::around(frame);
        loop {
            let before = (input.pos(), message.len());
            let filled = message.len();
            let mut output = OutBuffer::around_pos(&mut message, filled);
            let left = self.0.decompress_stream(&mut output, &mut input).map_err(code)?;
            if left == 0 {
                break;
            }
            if message.len() == message.capacity() {
                if message.len() >= most {
                    return Err(format!("zstd frame of {} bytes gives more than {most} bytes", frame.len()));
                }
                message.reserve(message.len().min(most - message.len()).max(1));
            } else if before == (input.pos(), message.len()) {
                return Err(format!("zstd frame of {} bytes is cut off", frame.len()));
            }
        }
        match frame.len() - input.pos() {
            0 => Ok(message),
            behind => Err(format!("expected one zstd frame, found {behind} bytes behind it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(data: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(data, 1).unwrap()
    }

    #[test]
    fn frames_with_and_without_a_size_are_read() {
        let data: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut unpacker = MessageUnpacker::new().unwrap();
        // A stream does not know its size in advance.
        let streamed = zstd::stream::encode_all(data.as_slice(), 3).unwrap();
        assert!(matches!(get_frame_content_size(&streamed), Ok(None)));
        for frame in [packed(&data), streamed, packed(&[])] {
            let expected: &[u8] = if frame.len() < 20 { &[] } else { &data };
            assert!(unpacker.unpack(&frame).unwrap() == expected);
        }
        // Nothing but zeros is as dense as a frame gets.
        let zeros = vec![0; 50_000_000];
        assert!(unpacker.unpack(&packed(&zeros)).unwrap() == zeros);
    }

    #[test]
    fn what_is_no_whole_frame_is_named() {
        let frame = packed(&[7; 5000]);
        let mut unpacker = MessageUnpacker::new().unwrap();
        let mut tell = |bytes: &[u8]| unpacker.unpack(bytes).unwrap_err();
        assert!(tell(&[0, 1, 0, 0, 9]).contains("expected a zstd frame"));
        assert!(tell(&[]).contains("found 0 bytes"));
        assert!(tell(&frame[..frame.len() - 1]).contains("cut off"));
        assert!(tell(&[frame.as_slice(), &[1, 2]].concat()).contains("2 bytes behind it"));
        let mut flipped = frame.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xff;
        flipped[middle + 1] ^= 0xff;
        assert!(unpacker.unpack(&flipped).is_err());
        // The context is of use again after an error.
        assert_eq!(unpacker.unpack(&frame).unwrap(), [7; 5000]);
    }

    #[test]
    fn a_forged_size_takes_no_memory() {
        // Magic, descriptor (8 bytes of size, single segment), size, one empty last block.
        let mut frame = [ZSTD_MAGIC.as_slice(), &[0xe0]].concat();
        frame.extend((1_u64 << 40).to_le_bytes());
        frame.extend([1, 0, 0]);
        let error = MessageUnpacker::new().unwrap().unpack(&frame).unwrap_err();
        assert!(error.contains("claims 1099511627776 bytes") && error.contains("655360"), "{error}");
    }

    proptest! {
        #[test]
        fn any_message_survives(data in prop::collection::vec(any::<u8>(), 0..3000)) {
            let found = MessageUnpacker::new().unwrap().unpack(&packed(&data));
            prop_assert_eq!(found, Ok(data));
        }

        #[test]
        fn corrupt_frames_never_panic(
            data in prop::collection::vec(any::<u8>(), 0..300),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut frame = packed(&data);
            for (at, value) in &flips {
                let at = at.index(frame.len());
                frame[at] = *value;
            }
            let _ = MessageUnpacker::new().unwrap().unpack(&frame);
        }
    }
}
