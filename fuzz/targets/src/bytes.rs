//! Drawing numbers from an input; when it ends, zeros.

pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

impl Draw<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    pub(crate) fn below(&mut self, n: u8) -> u8 {
        self.byte() % n
    }
    pub(crate) fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }
    /// A number of any size: mostly small, sometimes at the edge.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            n @ 0..=199 => n.into(),
            200..=239 => self.short().into(),
            240..=249 => u64::from(self.short()) << (self.byte() % 48),
            n => u64::MAX - u64::from(n - 250),
        }
    }
}
