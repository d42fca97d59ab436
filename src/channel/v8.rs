//! Values as V8's `ValueSerializer` writes them (`v8/src/objects/value-serializer.cc`), as far as the channel writes and
//! understands them without the engine.

use memchr::memchr2;

/// The first byte of every serialised value; the format's version follows.
pub const HEADER: u8 = 0xFF;
/// The version that Node 20 to 26 write.
pub const VERSION: u8 = 15;
/// Node's mark of a host object that is a view of bytes, and of any other.
pub const VIEW: u32 = 0;
/// See [`VIEW`].
pub const PLAIN: u32 = 1;
/// Node's number of Buffer among the kinds of views.
pub const BUFFER: u32 = 10;

/// How deep values may be nested for [`is_plain`]; deeper ones are left to the engine alone.
const DEPTH: u32 = 64;

/// Appends the header.
pub fn push_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&[HEADER, VERSION]);
}

/// Appends an integer, seven bits a byte, the lowest first.
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a number: an integer of 32 bits, or a double.
pub fn push_number(out: &mut Vec<u8>, number: f64) {
    let integer = number as i32;
    if f64::from(integer).to_bits() == number.to_bits() {
        out.push(b'I');
        push_varint(out, u64::from(((integer << 1) ^ (integer >> 31)).cast_unsigned()));
    } else {
        out.push(b'N');
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Appends a string: one byte a character where that is enough, else UTF-16, aligned to its units.
pub fn push_string(out: &mut Vec<u8>, units: &[u16]) {
    if units.iter().all(|unit| *unit <= 0xFF) {
        out.push(b'"');
        push_varint(out, units.len() as u64);
        out.extend(units.iter().map(|unit| *unit as u8));
        return;
    }
    let mut head = vec![b'c'];
    push_varint(&mut head, units.len() as u64 * 2);
    if (out.len() + head.len()) % 2 == 1 {
        out.push(0);
    }
    out.extend_from_slice(&head);
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// Appends the value of a JSON text that `JSON.stringify` has written, as V8 would serialise the value: without references,
/// so it must be a tree, and no name in it an integer, which V8 would serialise as a number. `None`: it is no such text, and
/// `out` holds a part of it.
pub fn push_json(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let mut text = Text(text);
    text.value(out, DEPTH)?;
    text.0.is_empty().then_some(())
}

struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn take(&mut self, expected: u8) -> Option<()> {
        (self.0.first() == Some(&expected)).then(|| self.0 = self.0.get(1..).unwrap_or_default())
    }

    fn literal(&mut self, word: &[u8], out: &mut Vec<u8>, tag: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        out.push(tag);
        Some(())
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.0.first()? {
            b'{' => self.object(out, depth),
            b'[' => self.array(out, depth),
            b'"' => self.string(out),
            b't' => self.literal(b"true", out, b'T'),
            b'f' => self.literal(b"false", out, b'F'),
            b'n' => self.literal(b"null", out, b'0'),
            _ => {
                let end = self.0.iter().position(|byte| matches!(byte, b',' | b']' | b'}'));
                let (number, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
                push_number(out, std::str::from_utf8(number).ok()?.parse().ok()?);
                self.0 = rest;
                Some(())
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: u32) -> Option<()> {
        self.take(b'{')?;
        out.push(b'o');
        let mut count = 0;
        while self.take(b'}').is_none() {
            if count > 0 {
                self.take(b',')?;
            }
            self.string(out)?;
            self.take(b':')?;
            self.value(out, depth)?;
            count += 1;
        }
        out.push(b'{');
        push_varint(out, count);
        Some(())
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: u32) -> Option<()> {
        self.take(b'[')?;
        let mut elements = vec![];
        let mut count = 0;
        // The length comes first, and in front of it what aligns strings of two bytes a character: those are not written
        // into the array in place, but a string finds its own alignment again where it is read.
        while self.take(b']').is_none() {
            if count > 0 {
                self.take(b',')?;
            }
            self.value(&mut elements, depth)?;
            count += 1;
        }
        out.push(b'A');
        push_varint(out, count);
        out.append(&mut elements);
        out.push(b'$');
        push_varint(out, 0);
        push_varint(out, count);
        Some(())
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.take(b'"')?;
        let end = memchr2(b'"', b'\\', self.0)?;
        let plain = self.0.get(..end)?;
        if self.0.get(end) == Some(&b'"') && plain.is_ascii() {
            self.0 = self.0.get(end + 1..)?;
            out.push(b'"');
            push_varint(out, plain.len() as u64);
            out.extend_from_slice(plain);
            return Some(());
        }
        self.escaped(out)
    }

    /// The rest of a string that is not plain ASCII.
    fn escaped(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut units = vec![];
        loop {
            let end = memchr2(b'"', b'\\', self.0)?;
            units.extend(std::str::from_utf8(self.0.get(..end)?).ok()?.encode_utf16());
            let rest = self.0.get(end..)?;
            match rest {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    push_string(out, &units);
                    return Some(());
                }
                [b'\\', b'u', digits @ ..] => {
                    let (digits, rest) = digits.split_at_checked(4)?;
                    units.push(u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                    self.0 = rest;
                }
                [b'\\', letter, rest @ ..] => {
                    units.push(match letter {
                        b'b' => 8,
                        b't' => 9,
                        b'n' => 10,
                        b'f' => 12,
                        b'r' => 13,
                        other => u16::from(*other),
                    });
                    self.0 = rest;
                }
                _ => return None,
            }
        }
    }
}

/// Makes one array of several serialised values with their headers, each of which [`is_plain`].
pub fn join<'a>(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = &'a [u8]>) {
    let count = values.len() as u64;
    push_header(out);
    out.push(b'A');
    push_varint(out, count);
    for value in values {
        out.extend_from_slice(value.get(2..).unwrap_or_default());
    }
    out.push(b'$');
    push_varint(out, 0);
    push_varint(out, count);
}

/// Appends an ArrayBuffer.
pub fn push_array_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'B');
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The content of a serialised value, with its header, that is nothing but a Buffer.
#[must_use]
pub fn buffer(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(&[HEADER, VERSION, b'\\', VIEW as u8, BUFFER as u8])?;
    let mut reader = Reader(rest);
    let length = usize::try_from(reader.varint()?).ok()?;
    (reader.0.len() == length).then_some(reader.0)
}

/// Appends a host object that is a view of the kind `kind` over `bytes`.
pub fn push_view(out: &mut Vec<u8>, kind: u32, bytes: &[u8]) {
    out.push(b'\\');
    for number in [u64::from(VIEW), u64::from(kind), bytes.len() as u64] {
        push_varint(out, number);
    }
    out.extend_from_slice(bytes);
}

/// Whether a serialised value, without its header, stays the same among others in one array: complete, and without
/// references, which count the objects before them.
#[must_use]
pub fn is_plain(value: &[u8]) -> bool {
    let mut reader = Reader(value);
    reader.value(DEPTH).is_some() && reader.0.is_empty()
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn bytes(&mut self) -> Option<()> {
        let length = self.varint()?;
        self.skip(length)
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.byte()? {
            b'\0' => self.value(depth),
            b'_' | b'0' | b'T' | b'F' | b'y' | b'x' => Some(()),
            b'I' | b'U' => self.varint().map(drop),
            b'N' | b'D' | b'n' => self.skip(8),
            b'"' | b'c' | b'S' => self.bytes(),
            b'Z' | b'z' => {
                // The sign, and how many bytes follow: the engine takes any number, not only whole digits.
                let bits = self.varint()?;
                self.skip(bits >> 1)
            }
            b'o' => {
                let members = self.members(depth, b'{')?;
                (self.varint()? * 2 == members).then_some(())
            }
            b'A' => {
                let length = self.varint()?;
                for _ in 0..length {
                    self.value(depth)?;
                }
                let members = self.members(depth, b'$')?;
                (self.varint()? * 2 == members && self.varint()? == length).then_some(())
            }
            b';' => {
                let members = self.members(depth, b':')?;
                (self.varint()? == members && members % 2 == 0).then_some(())
            }
            b'\'' => {
                let members = self.members(depth, b',')?;
                (self.varint()? == members).then_some(())
            }
            b'\\' => match u32::try_from(self.varint()?).ok()? {
                VIEW => {
                    self.varint()?;
                    self.bytes()
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Values up to `end`; gives how many.
    fn members(&mut self, depth: u32, end: u8) -> Option<u64> {
        let mut count = 0;
        while *self.0.first()? != end {
            self.value(depth)?;
            count += 1;
        }
        self.byte()?;
        Some(count)
    }
}
