//! The functions and virtual tables of V8 (`v8-value-serializer.h`, `v8-isolate.h`, `v8-exception.h`), looked up by
//! symbol name.

use std::ffi::{CStr, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use napi::{Env, Result, Status, Unknown, check_status, sys};

/// `v8::Local<T>`, which is the same as a value of N-API.
pub type Local = sys::napi_value;
/// `v8::Isolate*`.
pub type Isolate = *mut c_void;
/// `v8::ValueSerializer` and `v8::ValueDeserializer`, which consist of one pointer each.
pub type Object = *mut c_void;

/// `v8::Maybe<bool>`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Maybe {
    is_there: u8,
    value: u8,
}

impl Maybe {
    /// An exception was thrown.
    pub const NOTHING: Self = Self { is_there: 0, value: 0 };
    pub const TRUE: Self = Self { is_there: 1, value: 1 };

    pub fn is_true(self) -> bool {
        self.is_there != 0 && self.value != 0
    }
}

/// `std::pair<uint8_t*, size_t>`.
#[repr(C)]
pub struct Bytes {
    pub start: *mut u8,
    pub length: usize,
}

/// Memory for a `v8::TryCatch`, which is smaller than this. It must be on the stack.
type TryCatch = MaybeUninit<[usize; 16]>;

macro_rules! functions {
    ($($name:ident: $symbol:literal = fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of V8 that are called.
        pub struct Abi {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Abi {
            fn find() -> Option<Self> {
                Some(Self {
                    $(
                        // SAFETY: the type is that of the symbol, in the versions that `api/channel/serialization.rs`
                        // lists.
                        $name: unsafe { std::mem::transmute::<usize, unsafe extern "C" fn($($argument),*) $(-> $result)?>(symbol($symbol)?) },
                    )*
                })
            }
        }
    };
}

functions! {
    current_isolate: c"_ZN2v87Isolate10GetCurrentEv" = fn() -> Isolate;
    current_context: c"_ZN2v87Isolate17GetCurrentContextEv" = fn(Isolate) -> Local;
    throw: c"_ZN2v87Isolate14ThrowExceptionENS_5LocalINS_5ValueEEE" = fn(Isolate, Local) -> Local;
    try_catch: c"_ZN2v88TryCatchC1EPNS_7IsolateE" = fn(*mut TryCatch, Isolate);
    end_try_catch: c"_ZN2v88TryCatchD1Ev" = fn(*mut TryCatch);
    has_caught: c"_ZNK2v88TryCatch9HasCaughtEv" = fn(*const TryCatch) -> bool;
    exception: c"_ZNK2v88TryCatch9ExceptionEv" = fn(*const TryCatch) -> Local;

    serializer: c"_ZN2v815ValueSerializerC1EPNS_7IsolateEPNS0_8DelegateE" = fn(*mut Object, Isolate, *mut c_void);
    end_serializer: c"_ZN2v815ValueSerializerD1Ev" = fn(*mut Object);
    views_are_host_objects: c"_ZN2v815ValueSerializer37SetTreatArrayBufferViewsAsHostObjectsEb" = fn(*mut Object, bool);
    write_header: c"_ZN2v815ValueSerializer11WriteHeaderEv" = fn(*mut Object);
    write_value: c"_ZN2v815ValueSerializer10WriteValueENS_5LocalINS_7ContextEEENS1_INS_5ValueEEE" = fn(*mut Object, Local, Local) -> Maybe;
    write_u32: c"_ZN2v815ValueSerializer11WriteUint32Ej" = fn(*mut Object, u32);
    write_bytes: c"_ZN2v815ValueSerializer13WriteRawBytesEPKvm" = fn(*mut Object, *const c_void, usize);
    release: c"_ZN2v815ValueSerializer7ReleaseEv" = fn(*mut Object) -> Bytes;

    deserializer: c"_ZN2v817ValueDeserializerC1EPNS_7IsolateEPKhmPNS0_8DelegateE" = fn(*mut Object, Isolate, *const u8, usize, *mut c_void);
    end_deserializer: c"_ZN2v817ValueDeserializerD1Ev" = fn(*mut Object);
    read_header: c"_ZN2v817ValueDeserializer10ReadHeaderENS_5LocalINS_7ContextEEE" = fn(*mut Object, Local) -> Maybe;
    read_value: c"_ZN2v817ValueDeserializer9ReadValueENS_5LocalINS_7ContextEEE" = fn(*mut Object, Local) -> Local;
    read_u32: c"_ZN2v817ValueDeserializer10ReadUint32EPj" = fn(*mut Object, *mut u32) -> bool;
    read_bytes: c"_ZN2v817ValueDeserializer12ReadRawBytesEmPPKv" = fn(*mut Object, usize, *mut *const c_void) -> bool;
}

fn symbol(name: &CStr) -> Option<usize> {
    // SAFETY: a NUL-terminated name.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// A function in a virtual table: its symbol in V8, and the address of our function if that replaces it.
pub type Virtual = (&'static CStr, Option<usize>);

/// Builds the virtual table of a delegate, in the order of V8's header. A function whose symbol does not exist in
/// this V8 is not in its virtual table either (two are missing in Node 20).
pub fn table(first: &[usize], rest: &[Virtual]) -> Vec<usize> {
    let rest = rest.iter().filter_map(|(name, ours)| symbol(name).map(|address| ours.unwrap_or(address)));
    first.iter().copied().chain(rest).collect()
}

impl Abi {
    /// The functions. `None` if this process does not have all of them.
    pub fn get() -> Option<&'static Self> {
        static ABI: OnceLock<Option<Abi>> = OnceLock::new();
        ABI.get_or_init(Self::find).as_ref()
    }

    /// Runs `body`, which calls V8. An exception that V8 throws becomes N-API's pending exception.
    ///
    /// # Errors
    /// `Status::PendingException`.
    pub fn attempt<T>(&self, env: &Env, body: impl FnOnce(Isolate, Local) -> Option<T>) -> Result<T> {
        let mut block = TryCatch::uninit();
        // SAFETY: on the thread of the isolate, in a handle scope that N-API has opened; the block is constructed and
        // destructed in place.
        let (outcome, exception) = unsafe {
            let isolate = (self.current_isolate)();
            (self.try_catch)(&raw mut block, isolate);
            let outcome = body(isolate, (self.current_context)(isolate));
            let has_caught = (self.has_caught)(&raw const block);
            let exception = has_caught.then(|| (self.exception)(&raw const block));
            (self.end_try_catch)(&raw mut block);
            (outcome, exception)
        };
        match (outcome, exception) {
            (Some(outcome), None) => return Ok(outcome),
            // SAFETY: a value of the current handle scope.
            (_, Some(exception)) => check_status!(unsafe { sys::napi_throw(env.raw(), exception) })?,
            (None, None) => return Err(napi::Error::from_reason("V8 could not clone a value")),
        }
        Err(napi::Error::from_status(Status::PendingException))
    }

    /// Throws inside V8: N-API's pending exception if there is one, otherwise `error`.
    pub fn throw_error(&self, env: &Env, error: napi::Error) {
        self.throw_value(&crate::engine::thrown(env, error));
    }

    fn throw_value(&self, value: &Unknown) {
        // SAFETY: on the thread of the isolate, a value of the current handle scope.
        unsafe { (self.throw)((self.current_isolate)(), napi::JsValue::raw(value)) };
    }
}
