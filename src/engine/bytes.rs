//! Buffers and ArrayBuffers.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use napi::{Env, JsValue, Result, Unknown, check_status, sys};

use super::{Held, caught, is_instance, is_same, is_truthy, property, unknown};
use crate::background;
use crate::sys::Mapping;

/// A Buffer with a copy of these bytes.
///
/// # Errors
/// Out of memory.
pub fn buffer<'a>(env: &'a Env, bytes: &[u8]) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: `bytes` is valid for its length; null means that the address of the copy is not needed.
    check_status!(unsafe {
        sys::napi_create_buffer_copy(
            env.raw(),
            bytes.len(),
            bytes.as_ptr().cast(),
            ptr::null_mut(),
            &raw mut value,
        )
    })?;
    Ok(unknown(env, value))
}

/// A class of views of an ArrayBuffer: Buffer, typed arrays, DataView.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// `kind`: N-API's number for the class. `element`: the size of an element, bytes.
    TypedArray {
        kind: sys::napi_typedarray_type,
        element: usize,
    },
    DataView,
    Buffer,
}

impl ViewKind {
    /// The class of this number in Node's serialisation format. `None` if not every supported N-API can create such
    /// views.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        use sys::TypedarrayType as Type;
        let (kind, element) = match number {
            0 => (Type::int8_array, 1),
            1 => (Type::uint8_array, 1),
            2 => (Type::uint8_clamped_array, 1),
            3 => (Type::int16_array, 2),
            4 => (Type::uint16_array, 2),
            5 => (Type::int32_array, 4),
            6 => (Type::uint32_array, 4),
            7 => (Type::float32_array, 4),
            8 => (Type::float64_array, 8),
            9 => return Some(Self::DataView),
            10 => return Some(Self::Buffer),
            11 => (Type::bigint64_array, 8),
            12 => (Type::biguint64_array, 8),
            _ => return None,
        };
        Some(Self::TypedArray { kind, element })
    }
}

/// The number of a view's class in Node's serialisation format. `None` if the object is not a view.
///
/// # Errors
/// What a getter of `constructor` throws.
pub fn view_number(env: &Env, object: &Unknown, buffer_class: &Held) -> Result<Option<u32>> {
    use sys::TypedarrayType as Type;
    /// Node's numbers, where they differ from N-API's.
    const DATA_VIEW: u32 = 9;
    const BUFFER: u32 = 10;
    const BIGINT64: u32 = 11;
    const BIGUINT64: u32 = 12;
    const FLOAT16: u32 = 13;
    let (mut is_array, mut is_data_view) = (false, false);
    // N-API leaves this unchanged for a class that it does not know.
    let mut kind = -1;
    // SAFETY: a value of the current handle scope; results that are not needed may be null.
    unsafe {
        check_status!(sys::napi_is_typedarray(env.raw(), object.raw(), &raw mut is_array))?;
        if !is_array {
            check_status!(sys::napi_is_dataview(env.raw(), object.raw(), &raw mut is_data_view))?;
            return Ok(is_data_view.then_some(DATA_VIEW));
        }
        check_status!(sys::napi_get_typedarray_info(
            env.raw(),
            object.raw(),
            &raw mut kind,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut()
        ))?;
    }
    Ok(Some(match kind {
        Type::uint8_array if is_same(env, &property(env, object, c"constructor")?, buffer_class)? => BUFFER,
        Type::bigint64_array => BIGINT64,
        Type::biguint64_array => BIGUINT64,
        // The only class that N-API may not know.
        kind => u32::try_from(kind).ok().filter(|kind| *kind < DATA_VIEW).unwrap_or(FLOAT16),
    }))
}

/// Whether `object` is a Buffer, and not an instance of a subclass.
///
/// # Errors
/// What a getter of `constructor` throws.
pub fn is_buffer(env: &Env, object: &Unknown, buffer_class: &Held) -> Result<bool> {
    let mut is_view = false;
    // SAFETY: a value of the current handle scope.
    check_status!(unsafe { sys::napi_is_buffer(env.raw(), object.raw(), &raw mut is_view) })?;
    Ok(is_view
        && is_same(env, &property(env, object, c"constructor")?, buffer_class)?
        && is_instance(env, object, &buffer_class.get(env)?)?)
}

/// Whether `object` is an ArrayBuffer that is neither resizable nor detached nor empty.
///
/// # Errors
/// An N-API failure.
pub fn is_full_array_buffer(env: &Env, object: &Unknown) -> Result<bool> {
    let mut is_array_buffer = false;
    // SAFETY: a value of the current handle scope.
    check_status!(unsafe { sys::napi_is_arraybuffer(env.raw(), object.raw(), &raw mut is_array_buffer) })?;
    Ok(is_array_buffer
        && !is_truthy(&property(env, object, c"resizable")?)?
        && with_array_buffer(env, object, |bytes| !bytes.is_empty()).unwrap_or(false))
}

/// Creates a view of a class on a copy of `bytes`.
///
/// # Errors
/// Out of memory; `Status::PendingException`: the bytes are not a whole number of elements.
pub fn view<'a>(env: &'a Env, class: ViewKind, bytes: &[u8]) -> Result<Unknown<'a>> {
    if class == ViewKind::Buffer {
        return buffer(env, bytes);
    }
    let mut data = ptr::null_mut();
    let mut memory = ptr::null_mut();
    let mut view = ptr::null_mut();
    // SAFETY: the new memory is as long as `bytes`, and nothing else refers to it.
    unsafe {
        check_status!(sys::napi_create_arraybuffer(env.raw(), bytes.len(), &raw mut data, &raw mut memory))?;
        if !bytes.is_empty() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len());
        }
        check_status!(match class {
            ViewKind::TypedArray { kind, element } => {
                // Rounded up, so that an incomplete element makes N-API throw: the array would be longer than its
                // memory.
                let length = bytes.len().div_ceil(element);
                sys::napi_create_typedarray(env.raw(), kind, length, memory, 0, &raw mut view)
            }
            _ => sys::napi_create_dataview(env.raw(), bytes.len(), memory, 0, &raw mut view),
        })?;
    }
    Ok(unknown(env, view))
}

/// A part of `memory` that becomes the memory of a Buffer or an ArrayBuffer, until that is garbage-collected.
pub struct Part {
    pub memory: Memory,
    pub range: Range<usize>,
}

/// Memory that never moves or grows.
pub enum Memory {
    Vector(Vec<u8>),
    /// Shared by the Buffers that use parts of it.
    Mapping(Arc<Mapping>),
}

impl Part {
    /// All of it.
    #[must_use]
    pub fn whole(memory: Memory) -> Self {
        let length = match &memory {
            Memory::Vector(bytes) => bytes.len(),
            Memory::Mapping(mapping) => mapping.length(),
        };
        Self { memory, range: 0..length }
    }

    /// The address and number of the bytes; no bytes if the range is not within the memory.
    fn place(&mut self) -> (*mut c_void, usize) {
        let Range { start, end } = self.range;
        let (address, length): (*mut c_void, _) = match &mut self.memory {
            Memory::Vector(bytes) => (bytes.as_mut_ptr().cast(), bytes.len()),
            Memory::Mapping(mapping) => (mapping.address(), mapping.length()),
        };
        if start <= end && end <= length {
            (address.wrapping_byte_add(start), end - start)
        } else {
            (address, 0)
        }
    }
}

/// The class of the object that [`adopt_bytes`] creates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    Buffer,
    ArrayBuffer,
}

/// Creates a Buffer or an ArrayBuffer that uses the memory of `part`. If the engine does not allow external memory,
/// copies it.
///
/// # Errors
/// Out of memory.
pub fn adopt_bytes(env: &Env, part: Part, wrapper: Wrapper) -> Result<Unknown<'_>> {
    let mut part = Box::new(part);
    let (address, length) = part.place();
    let part = Box::into_raw(part);
    let mut value = ptr::null_mut();
    // SAFETY: the memory lives until `free_part` is called, once, when the value is garbage-collected. `Part::place`
    // has checked the range.
    unsafe {
        let (data, hint): (_, *mut c_void) = (address, part.cast());
        let status = match wrapper {
            Wrapper::Buffer => sys::napi_create_external_buffer(
                env.raw(),
                length,
                data,
                Some(free_part),
                hint,
                &raw mut value,
            ),
            Wrapper::ArrayBuffer => sys::napi_create_external_arraybuffer(
                env.raw(),
                data,
                length,
                Some(free_part),
                hint,
                &raw mut value,
            ),
        };
        if status == sys::Status::napi_ok {
            return Ok(unknown(env, value));
        }
        let bytes = std::slice::from_raw_parts(address.cast(), length);
        let copied = buffer(env, bytes);
        drop(Box::from_raw(part));
        if wrapper == Wrapper::ArrayBuffer { property(env, &copied?, c"buffer") } else { copied }
    }
}

unsafe extern "C" fn free_part(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: the box that `adopt_bytes` made, freed once.
    let mut part = unsafe { Box::from_raw(hint.cast::<Part>()) };
    // A panic cannot be reported to JavaScript here. Its message is on stderr already.
    let _ = caught(|| {
        let (_, length) = part.place();
        background::give_back(part, length);
    });
}

/// Runs `use_bytes`, which must not run JavaScript, on the bytes of an ArrayBuffer. `None` if `value` is not one.
pub fn with_array_buffer<T>(env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: N-API checks the class; the bytes live as long as the value, and no JavaScript runs that could detach
    // them.
    unsafe {
        let status = sys::napi_get_arraybuffer_info(env.raw(), value.raw(), &raw mut data, &raw mut length);
        if status != sys::Status::napi_ok {
            return None;
        }
        let bytes = if data.is_null() { &[][..] } else { std::slice::from_raw_parts(data.cast(), length) };
        Some(use_bytes(bytes))
    }
}

/// Runs `use_bytes`, which must not run JavaScript, on the bytes of a Buffer or another view. `None` if `value` is
/// not one.
pub fn with_bytes<T>(env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut is_buffer = false;
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: N-API checks the class; the bytes live as long as the value, and no JavaScript runs that could detach
    // them.
    unsafe {
        let status = sys::napi_is_buffer(env.raw(), value.raw(), &raw mut is_buffer);
        if status != sys::Status::napi_ok || !is_buffer {
            return None;
        }
        let status = sys::napi_get_buffer_info(env.raw(), value.raw(), &raw mut data, &raw mut length);
        if status != sys::Status::napi_ok {
            return None;
        }
        let bytes = if data.is_null() { &[][..] } else { std::slice::from_raw_parts(data.cast(), length) };
        Some(use_bytes(bytes))
    }
}
