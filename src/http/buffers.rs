//! A connection's input and output buffers, as ureq's trait wants them. ureq parses a head only when all of it is in
//! the buffer, so the input grows up to the largest allowed head, and shrinks again for the next call.

use ureq::unversioned::transport::Buffers as Seam;

/// A usual response is below 2 KiB including its head; this is a page.
const FIRST_INPUT: usize = 4096;

#[derive(Debug)]
pub(super) struct Buffers {
    input: Vec<u8>,
    /// The unread part of `input`.
    start: usize,
    end: usize,
    /// Whether ureq's last parse consumed input; otherwise it needs more first.
    progress: bool,
    /// Large enough for every request of the client.
    output: Vec<u8>,
}

impl Buffers {
    pub(super) fn new(output: usize) -> Buffers {
        Buffers { input: Vec::new(), start: 0, end: 0, progress: false, output: vec![0; output] }
    }

    /// How many bytes ureq has not consumed yet.
    pub(super) fn unread(&self) -> usize {
        self.end - self.start
    }

    /// The room behind the unread input: at least one byte, at most `most`.
    pub(super) fn room(&mut self, most: usize) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.input.len() {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            if self.end * 2 >= self.input.len() {
                self.input.resize((self.input.len() * 2).max(FIRST_INPUT), 0);
            }
        }
        let last = self.input.len().min(self.end.saturating_add(most));
        &mut self.input[self.end..last]
    }

    pub(super) fn filled(&mut self, amount: usize) {
        self.end += amount;
        debug_assert!(self.end <= self.input.len());
    }

    /// Frees the memory that a large response took.
    pub(super) fn shrink(&mut self) {
        if self.unread() == 0 && self.input.len() > FIRST_INPUT {
            *self = Buffers { output: std::mem::take(&mut self.output), ..Buffers::new(0) };
        }
    }

    /// The first `amount` bytes of the output.
    pub(super) fn written(&self, amount: usize) -> &[u8] {
        &self.output[..amount]
    }

    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.input.len()
    }
}

impl Seam for Buffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.room(usize::MAX)
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.start += amount;
        debug_assert!(self.start <= self.end);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.room(usize::MAX);
        (&mut self.input[self.end..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.unread() > 0 && self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffers: &mut Buffers, bytes: &[u8]) {
        for piece in bytes.chunks(1000) {
            let mut rest = piece;
            while !rest.is_empty() {
                let room = buffers.room(usize::MAX);
                let some = rest.len().min(room.len());
                room[..some].copy_from_slice(&rest[..some]);
                buffers.filled(some);
                rest = &rest[some..];
            }
        }
    }

    #[test]
    fn unread_input_stays_contiguous_and_in_order() {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        let mut buffers = Buffers::new(1);
        fill(&mut buffers, &bytes);
        assert_eq!(buffers.input(), bytes);
        buffers.input_consume(150_000);
        fill(&mut buffers, &bytes[..3]);
        assert_eq!(buffers.input(), [&bytes[150_000..], &bytes[..3]].concat());
    }

    #[test]
    fn unread_input_that_reaches_the_end_moves_to_the_front() {
        let mut buffers = Buffers::new(1);
        fill(&mut buffers, &[7; FIRST_INPUT - 2]);
        fill(&mut buffers, &[8, 8]);
        buffers.input_consume(FIRST_INPUT - 2);
        fill(&mut buffers, &[9]);
        assert_eq!((buffers.input(), buffers.capacity()), (&[8, 8, 9][..], FIRST_INPUT));
    }

    #[test]
    fn input_that_is_consumed_at_once_takes_one_page() {
        let mut buffers = Buffers::new(1);
        for _ in 0..1000 {
            fill(&mut buffers, &[7; 1000]);
            buffers.input_consume(1000);
        }
        assert_eq!(buffers.capacity(), FIRST_INPUT);
    }

    #[test]
    fn room_is_bounded_and_freed_again() {
        let mut buffers = Buffers::new(1);
        assert_eq!(buffers.room(10).len(), 10);
        fill(&mut buffers, &[7; 100_000]);
        buffers.shrink();
        assert_eq!(buffers.unread(), 100_000, "nothing unread is lost");
        buffers.input_consume(100_000);
        buffers.shrink();
        assert_eq!(buffers.capacity(), 0);
        assert_eq!(buffers.written(1).len(), 1);
    }
}
