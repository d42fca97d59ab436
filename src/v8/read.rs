//! Deserialises a value.

use std::cell::Cell;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use napi::{Env, Error, JsValue, Result, Unknown, ValueType};

use super::abi::{self, Abi, Isolate, Local, Object};
use crate::channel::v8::VIEW;
use crate::engine::{self, ViewKind};

/// Creates a Buffer that uses the memory of a part of the bytes.
pub type TakePart<'a, 'b> = &'b dyn Fn(Range<usize>) -> Result<Unknown<'a>>;

/// Buffers of fewer bytes are copied.
const LARGE: usize = 64 * 1024;

/// A `ValueDeserializer::Delegate`. While V8 reads, no JavaScript may run, so the views are created through N-API.
#[repr(C)]
struct Reader<'a, 'b> {
    /// The pointer to its virtual table. It must be the first field.
    table: *const usize,
    abi: &'static Abi,
    env: &'a Env,
    deserializer: *mut Object,
    bytes: &'b [u8],
    take_part: Option<TakePart<'a, 'b>>,
    /// Whether there is a view of a class that N-API cannot create.
    is_unsupported: Cell<bool>,
}

/// Deserialises `bytes`, which begin with V8's header. `take_part`, if given, creates large Buffers without copying
/// them. `None`: the value contains a view that N-API cannot create.
///
/// # Errors
/// `Status::PendingException`: the bytes are not a valid value.
pub fn deserialize<'a>(
    env: &'a Env,
    abi: &'static Abi,
    bytes: &[u8],
    take_part: Option<TakePart<'a, '_>>,
) -> Result<Option<Unknown<'a>>> {
    let mut deserializer: Object = ptr::null_mut();
    let mut reader = Reader {
        table: table(),
        abi,
        env,
        deserializer: &raw mut deserializer,
        bytes,
        take_part,
        is_unsupported: Cell::default(),
    };
    let value = abi.attempt(env, |isolate, context| {
        let deserializer = reader.deserializer;
        // SAFETY: the deserializer is constructed first; `reader` and the bytes outlive it, and `reader` does not move.
        let value = unsafe {
            (abi.deserializer)(deserializer, isolate, bytes.as_ptr(), bytes.len(), (&raw mut reader).cast());
            if (abi.read_header)(deserializer, context).is_true() {
                (abi.read_value)(deserializer, context)
            } else {
                ptr::null_mut()
            }
        };
        (!value.is_null()).then_some(value)
    });
    // SAFETY: constructed above.
    unsafe { (abi.end_deserializer)(&raw mut deserializer) };
    match value {
        // SAFETY: a value of the current handle scope.
        Ok(value) => Ok(Some(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })),
        Err(_) if reader.is_unsupported.get() => {
            let _ = engine::take_exception(env);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The virtual table of [`Reader`].
fn table() -> *const usize {
    static TABLE: OnceLock<Vec<usize>> = OnceLock::new();
    let make = || {
        let destruct = destruct as *const () as usize;
        abi::table(
            &[destruct, destruct],
            &[
                (
                    c"_ZN2v817ValueDeserializer8Delegate14ReadHostObjectEPNS_7IsolateE",
                    Some(read_host_object as *const () as usize),
                ),
                (c"_ZN2v817ValueDeserializer8Delegate19GetWasmModuleFromIdEPNS_7IsolateEj", None),
                (c"_ZN2v817ValueDeserializer8Delegate26GetSharedArrayBufferFromIdEPNS_7IsolateEj", None),
                (c"_ZN2v817ValueDeserializer8Delegate22GetSharedValueConveyorEPNS_7IsolateE", None),
            ],
        )
    };
    TABLE.get_or_init(make).as_ptr()
}

/// `~Delegate()`. Never called, because V8 does not own the delegate.
extern "C" fn destruct(_: *mut Reader) {}

unsafe extern "C" fn read_host_object(reader: *mut Reader, _: Isolate) -> Local {
    // SAFETY: the reader that `deserialize` has made.
    let reader = unsafe { &*reader };
    match engine::caught(|| reader.read_host_object()).unwrap_or_else(Err) {
        Ok(value) => value,
        Err(error) => {
            reader.abi.throw_error(reader.env, error);
            ptr::null_mut()
        }
    }
}

impl Reader<'_, '_> {
    fn read_host_object(&self) -> Result<Local> {
        let Self { abi, env, deserializer, .. } = *self;
        if self.read_u32()? == VIEW {
            return self.read_view().map(|view| view.raw());
        }
        let value = abi.attempt(env, |_, context| {
            // SAFETY: V8 itself is calling from inside of this deserializer.
            let value = unsafe { (abi.read_value)(deserializer, context) };
            (!value.is_null()).then_some(value)
        })?;
        // SAFETY: a value of the current handle scope.
        let value = unsafe { Unknown::from_raw_unchecked(env.raw(), value) };
        match engine::kind(&value)? {
            ValueType::Object | ValueType::Function => Ok(value.raw()),
            _ => Err(broken()),
        }
    }

    fn read_view(&self) -> Result<Unknown<'_>> {
        let kind = self.read_u32()?;
        let length = self.read_u32()? as usize;
        let mut start: *const c_void = ptr::null();
        // SAFETY: see above.
        if !unsafe { (self.abi.read_bytes)(self.deserializer, length, &raw mut start) } {
            return Err(broken());
        }
        let start = start as usize - self.bytes.as_ptr() as usize;
        let range = start..start + length;
        match (ViewKind::from_number(kind), self.take_part) {
            (Some(ViewKind::Buffer), Some(take_part)) if length >= LARGE => take_part(range),
            (Some(view), _) => engine::view(self.env, view, self.bytes.get(range).ok_or_else(broken)?),
            (None, _) => {
                self.is_unsupported.set(true);
                Err(broken())
            }
        }
    }

    fn read_u32(&self) -> Result<u32> {
        let mut number = 0;
        // SAFETY: V8 itself is calling from inside of this deserializer.
        let is_read = unsafe { (self.abi.read_u32)(self.deserializer, &raw mut number) };
        is_read.then_some(number).ok_or_else(broken)
    }
}

fn broken() -> Error {
    Error::from_reason("Unable to deserialize cloned data.")
}
