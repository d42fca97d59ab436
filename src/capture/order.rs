//! The order in which the bytes of several outputs of one process came.

/// The outputs are named by small numbers.
#[derive(Debug, Default)]
pub struct Order {
    parts: Vec<Part>,
}

/// Bytes that came from one output in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub output: usize,
    pub length: usize,
}

impl Order {
    /// The output `output` has brought `length` bytes.
    pub fn note(&mut self, output: usize, length: usize) {
        match self.parts.last_mut() {
            Some(last) if last.output == output => last.length += length,
            _ if length > 0 => self.parts.push(Part { output, length }),
            _ => {}
        }
    }

    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The bytes of all outputs in the order in which they came. In text, a character of UTF-8 that came in several parts
    /// stands where its end came.
    #[must_use]
    pub fn interleave(&self, outputs: &[&[u8]], is_text: bool) -> Vec<u8> {
        let mut all = Vec::with_capacity(outputs.iter().map(|output| output.len()).sum());
        // By output: how many bytes have come, and how many of those are in `all`.
        let mut done = vec![(0, 0); outputs.len()];
        for Part { output, length } in &self.parts {
            let (Some(bytes), Some((come, copied))) = (outputs.get(*output), done.get_mut(*output)) else {
                continue;
            };
            *come = (*come + length).min(bytes.len());
            let new = bytes.get(*copied..*come).unwrap_or_default();
            let whole = if is_text { new.len() - incomplete(new) } else { new.len() };
            all.extend_from_slice(&new[..whole]);
            *copied += whole;
        }
        for (bytes, (_, copied)) in outputs.iter().zip(done) {
            all.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        }
        all
    }
}

/// The number of bytes at the end that begin a character of UTF-8 without completing it.
#[must_use]
pub fn incomplete(bytes: &[u8]) -> usize {
    const LONGEST: usize = 3;
    let begins = |length: &usize| {
        let end = bytes.get(bytes.len() - length..).unwrap_or_default();
        str::from_utf8(end).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=LONGEST.min(bytes.len())).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests;
