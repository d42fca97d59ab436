//! Serialises a value.

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use napi::{Env, JsValue, Result, Unknown, sys};

use super::abi::{self, Abi, Isolate, Local, Maybe, Object};
use crate::channel::v8::{PLAIN, VIEW};
use crate::engine::{self, Held};

/// The memory that V8 writes into. It is reused for the next message unless it has grown large.
struct Scratch {
    start: *mut c_void,
    capacity: usize,
}

/// A buffer of more bytes than this is freed.
const KEPT: usize = 1 << 20;

impl Scratch {
    const NONE: Self = Self { start: ptr::null_mut(), capacity: 0 };

    /// Makes room for `size` bytes. Null: out of memory; the old memory stays valid.
    fn reserve(&mut self, size: usize) -> *mut c_void {
        if size <= self.capacity {
            return self.start;
        }
        // SAFETY: null, or the result of an earlier `realloc`.
        let start = unsafe { libc::realloc(self.start, size) };
        if !start.is_null() {
            (self.start, self.capacity) = (start, size);
        }
        start
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: null, or the result of `realloc`; freed once.
        unsafe { libc::free(self.start) };
    }
}

thread_local! {
    static SPARE: std::cell::Cell<Scratch> = const { std::cell::Cell::new(Scratch::NONE) };
}

/// A `ValueSerializer::Delegate`.
#[repr(C)]
struct Writer<'a> {
    /// The pointer to its virtual table. It must be the first field.
    table: *const usize,
    abi: &'static Abi,
    env: &'a Env,
    buffer_class: &'a Held,
    serializer: *mut Object,
    scratch: Scratch,
}

/// Serialises `value` and passes the bytes, with V8's header, to `use_bytes`. As in Node, views are written as host
/// objects, and other host objects as plain objects.
///
/// # Errors
/// `Status::PendingException`: the value cannot be cloned, or a getter has thrown.
pub fn serialize<T>(
    env: &Env,
    abi: &'static Abi,
    buffer_class: &Held,
    value: &Unknown,
    use_bytes: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let mut serializer: Object = ptr::null_mut();
    let scratch = SPARE.replace(Scratch::NONE);
    let mut writer =
        Writer { table: table(), abi, env, buffer_class, serializer: &raw mut serializer, scratch };
    let written = abi.attempt(env, |isolate, context| {
        let serializer = writer.serializer;
        // SAFETY: the serializer is constructed first; `writer` outlives it and does not move.
        unsafe {
            (abi.serializer)(serializer, isolate, (&raw mut writer).cast());
            (abi.views_are_host_objects)(serializer, true);
            (abi.write_header)(serializer);
            (abi.write_value)(serializer, context, value.raw()).is_true().then(|| (abi.release)(serializer))
        }
    });
    // SAFETY: constructed above. It passes a buffer that it has not released to `free`, which does nothing: `scratch`
    // owns it.
    unsafe { (abi.end_serializer)(&raw mut serializer) };
    let used = written.map(|bytes| {
        // SAFETY: V8 has written this many bytes at the start of `scratch`.
        use_bytes(unsafe { std::slice::from_raw_parts(bytes.start, bytes.length) })
    });
    if writer.scratch.capacity <= KEPT {
        SPARE.set(std::mem::replace(&mut writer.scratch, Scratch::NONE));
    }
    used
}

/// The virtual table of [`Writer`].
fn table() -> *const usize {
    static TABLE: OnceLock<Vec<usize>> = OnceLock::new();
    let make = || {
        let destruct = destruct as *const () as usize;
        abi::table(
            &[destruct, destruct, refuse as *const () as usize],
            &[
                (c"_ZN2v815ValueSerializer8Delegate19HasCustomHostObjectEPNS_7IsolateE", None),
                (c"_ZN2v815ValueSerializer8Delegate12IsHostObjectEPNS_7IsolateENS_5LocalINS_6ObjectEEE", None),
                (
                    c"_ZN2v815ValueSerializer8Delegate15WriteHostObjectEPNS_7IsolateENS_5LocalINS_6ObjectEEE",
                    Some(write_host_object as *const () as usize),
                ),
                (c"_ZN2v815ValueSerializer8Delegate22GetSharedArrayBufferIdEPNS_7IsolateENS_5LocalINS_17SharedArrayBufferEEE", None),
                (c"_ZN2v815ValueSerializer8Delegate23GetWasmModuleTransferIdEPNS_7IsolateENS_5LocalINS_16WasmModuleObjectEEE", None),
                (c"_ZN2v815ValueSerializer8Delegate24AdoptSharedValueConveyorEPNS_7IsolateEONS_19SharedValueConveyorE", None),
                (
                    c"_ZN2v815ValueSerializer8Delegate22ReallocateBufferMemoryEPvmPm",
                    Some(reallocate as *const () as usize),
                ),
                (c"_ZN2v815ValueSerializer8Delegate16FreeBufferMemoryEPv", Some(free as *const () as usize)),
            ],
        )
    };
    TABLE.get_or_init(make).as_ptr()
}

/// `~Delegate()`. Never called, because V8 does not own the delegate.
extern "C" fn destruct(_: *mut Writer) {}

/// `ThrowDataCloneError`.
unsafe extern "C" fn refuse(writer: *mut Writer, message: Local) {
    // SAFETY: the writer that `serialize` has made; nothing else uses it meanwhile.
    let writer = unsafe { &*writer };
    let mut error = ptr::null_mut();
    // SAFETY: V8's message is a string.
    unsafe {
        if sys::napi_create_error(writer.env.raw(), ptr::null_mut(), message, &raw mut error)
            == sys::Status::napi_ok
        {
            (writer.abi.throw)((writer.abi.current_isolate)(), error);
        }
    }
}

unsafe extern "C" fn write_host_object(writer: *mut Writer, _: Isolate, object: Local) -> Maybe {
    // SAFETY: see `refuse`.
    let writer = unsafe { &*writer };
    match engine::caught(|| writer.write_host_object(object)).unwrap_or_else(Err) {
        Ok(()) => Maybe::TRUE,
        Err(error) => {
            writer.abi.throw_error(writer.env, error);
            Maybe::NOTHING
        }
    }
}

impl Writer<'_> {
    fn write_host_object(&self, object: Local) -> Result<()> {
        let Self { abi, env, serializer, .. } = *self;
        // SAFETY: a value of the current handle scope.
        let object = unsafe { Unknown::from_raw_unchecked(env.raw(), object) };
        let Some(kind) = engine::view_number(env, &object, self.buffer_class)? else {
            // SAFETY: V8 itself is calling from inside of this serializer.
            unsafe { (abi.write_u32)(serializer, PLAIN) };
            let plain = engine::copy_object(env, &object)?;
            return abi.attempt(env, |_, context| {
                // SAFETY: see above.
                unsafe { (abi.write_value)(serializer, context, plain.raw()) }.is_true().then_some(())
            });
        };
        engine::with_bytes(env, &object, |bytes| {
            // A longer view does not fit into a message.
            let length = u32::try_from(bytes.len()).ok()?;
            // SAFETY: see above; the bytes are copied.
            unsafe {
                (abi.write_u32)(serializer, VIEW);
                (abi.write_u32)(serializer, kind);
                (abi.write_u32)(serializer, length);
                (abi.write_bytes)(serializer, bytes.as_ptr().cast(), bytes.len());
            }
            Some(())
        })
        .flatten()
        .ok_or_else(|| napi::Error::from_reason("a view of 4 GiB or more cannot be sent"))
    }
}

/// `ReallocateBufferMemory`.
unsafe extern "C" fn reallocate(
    writer: *mut Writer,
    _old: *mut c_void,
    size: usize,
    actual: *mut usize,
) -> *mut c_void {
    // SAFETY: see `refuse`; nothing else uses `scratch` meanwhile.
    unsafe {
        let start = (*writer).scratch.reserve(size);
        *actual = (*writer).scratch.capacity;
        start
    }
}

/// `FreeBufferMemory`. Does nothing: `scratch` owns the memory.
extern "C" fn free(_: *mut Writer, _: *mut c_void) {}
