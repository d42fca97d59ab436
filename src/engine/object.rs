//! Objects: creating them, their properties and methods.

use std::ffi::CStr;
use std::ptr;

use napi::{Env, JsValue, Result, Unknown, ValueType, check_status, sys};

use super::{Held, kind, unknown};

/// A property of an object.
///
/// # Errors
/// What a getter throws.
pub fn property<'a>(env: &'a Env, object: &Unknown, name: &CStr) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: `name` is NUL-terminated.
    check_status!(unsafe {
        sys::napi_get_named_property(env.raw(), object.raw(), name.as_ptr(), &raw mut value)
    })?;
    Ok(unknown(env, value))
}

/// Sets a property of an object.
///
/// # Errors
/// What a setter throws.
pub fn set_property(env: &Env, object: &Unknown, name: &CStr, value: &Unknown) -> Result<()> {
    // SAFETY: `name` is NUL-terminated.
    check_status!(unsafe {
        sys::napi_set_named_property(env.raw(), object.raw(), name.as_ptr(), value.raw())
    })
}

/// A property by a name that is a JavaScript value: a string or a symbol.
///
/// # Errors
/// What a getter throws.
pub fn property_of<'a>(env: &'a Env, object: &Unknown, name: &Unknown) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: values of the current handle scope.
    check_status!(unsafe { sys::napi_get_property(env.raw(), object.raw(), name.raw(), &raw mut value) })?;
    Ok(unknown(env, value))
}

/// Which of an object's own properties to list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The enumerable ones with a string name.
    Enumerable,
    /// All enumerable ones, at more cost.
    EnumerableAndSymbols,
    Symbols,
}

/// The names of an object's own properties.
///
/// # Errors
/// What a proxy throws.
pub fn own_names<'a>(env: &'a Env, object: &Unknown, which: Names) -> Result<Vec<Unknown<'a>>> {
    let filter = match which {
        Names::Enumerable => sys::KeyFilter::enumerable | sys::KeyFilter::skip_symbols,
        Names::EnumerableAndSymbols => sys::KeyFilter::enumerable,
        Names::Symbols => sys::KeyFilter::skip_strings,
    };
    let mut names = ptr::null_mut();
    // SAFETY: a value of the current handle scope.
    check_status!(unsafe {
        sys::napi_get_all_property_names(
            env.raw(),
            object.raw(),
            sys::KeyCollectionMode::own_only,
            filter,
            sys::KeyConversion::numbers_to_strings,
            &raw mut names,
        )
    })?;
    super::elements(&unknown(env, names))
}

/// A plain object with these properties.
///
/// # Errors
/// An N-API failure.
pub fn object<'a>(env: &'a Env, properties: &[(&CStr, Unknown)]) -> Result<Unknown<'a>> {
    let mut object = ptr::null_mut();
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_create_object(env.raw(), &raw mut object) })?;
    let object = unknown(env, object);
    for (name, value) in properties {
        set_property(env, &object, name, value)?;
    }
    Ok(object)
}

/// Copies the own enumerable properties of an object to a plain object.
///
/// # Errors
/// What a getter throws.
pub fn copy_object<'a>(env: &'a Env, original: &Unknown) -> Result<Unknown<'a>> {
    let copy = object(env, &[])?;
    for name in own_names(env, original, Names::Enumerable)? {
        let value = property_of(env, original, &name)?;
        // SAFETY: values of the current handle scope.
        check_status!(unsafe { sys::napi_set_property(env.raw(), copy.raw(), name.raw(), value.raw()) })?;
    }
    Ok(copy)
}

/// `new class(…arguments)`.
///
/// # Errors
/// What the constructor throws.
pub fn construct<'a, const N: usize>(
    env: &'a Env,
    class: &Unknown,
    arguments: [&Unknown; N],
) -> Result<Unknown<'a>> {
    let arguments = arguments.map(JsValue::raw);
    let mut object = ptr::null_mut();
    // SAFETY: values of the current handle scope.
    check_status!(unsafe {
        sys::napi_new_instance(env.raw(), class.raw(), N, arguments.as_ptr(), &raw mut object)
    })?;
    Ok(unknown(env, object))
}

/// `object.name(…arguments)`.
///
/// # Errors
/// What it throws.
pub fn call_method<'a, const N: usize>(
    env: &'a Env,
    object: &Unknown,
    name: &CStr,
    arguments: [&Unknown; N],
) -> Result<Unknown<'a>> {
    call_value(env, &property(env, object, name)?, object, arguments)
}

/// `function.call(this, …arguments)`.
///
/// # Errors
/// What it throws.
pub fn call_value<'a, const N: usize>(
    env: &'a Env,
    function: &Unknown,
    this: &Unknown,
    arguments: [&Unknown; N],
) -> Result<Unknown<'a>> {
    let arguments = arguments.map(JsValue::raw);
    let mut result = ptr::null_mut();
    // SAFETY: values of the current handle scope.
    check_status!(unsafe {
        sys::napi_call_function(env.raw(), this.raw(), function.raw(), N, arguments.as_ptr(), &raw mut result)
    })?;
    Ok(unknown(env, result))
}

/// Whether `value` is an instance of `class`.
///
/// # Errors
/// What `Symbol.hasInstance` throws.
pub fn is_instance(env: &Env, value: &Unknown, class: &Unknown) -> Result<bool> {
    let mut is_instance = false;
    // SAFETY: values of the current handle scope.
    check_status!(unsafe {
        sys::napi_instanceof(env.raw(), value.raw(), class.raw(), &raw mut is_instance)
    })?;
    Ok(is_instance)
}

/// Whether two values are strictly equal.
///
/// # Errors
/// An N-API failure.
pub fn is_same(env: &Env, value: &Unknown, other: &Held) -> Result<bool> {
    let mut is_same = false;
    // SAFETY: values of the current handle scope.
    check_status!(unsafe {
        sys::napi_strict_equals(env.raw(), value.raw(), other.get(env)?.raw(), &raw mut is_same)
    })?;
    Ok(is_same)
}

/// Whether `value` is true as a condition in JavaScript.
///
/// # Errors
/// An N-API failure.
pub fn is_truthy(value: &Unknown) -> Result<bool> {
    match kind(value)? {
        ValueType::Undefined | ValueType::Null => Ok(false),
        ValueType::Boolean => super::to_bool(&Env::from_raw(value.value().env), value),
        _ => value.coerce_to_bool(),
    }
}

/// Whether `value` is a function.
///
/// # Errors
/// An N-API failure.
pub fn is_function(value: &Unknown) -> Result<bool> {
    Ok(kind(value)? == ValueType::Function)
}

/// `null`.
///
/// # Errors
/// An N-API failure.
pub fn null(env: &Env) -> Result<Unknown<'_>> {
    let mut value = ptr::null_mut();
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_null(env.raw(), &raw mut value) })?;
    Ok(unknown(env, value))
}
