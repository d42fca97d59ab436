//! JavaScript classes whose objects contain a Rust value. A call of a method costs half of what it costs with a class
//! made by napi-rs. The value is put into an object by [`wrap`], not by the constructor, so that JavaScript can create
//! objects without a call into the addon.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};
use std::ptr;

use napi::{Env, JsValue, Result, Unknown, check_status, sys};

use super::{Call, caught, property, unknown};

/// The most arguments that a method takes.
const ARGUMENTS: usize = 4;

/// What a method is called with.
pub type MethodCall<'a> = Call<'a, ARGUMENTS>;
/// What a method returns; `None` is undefined.
pub type Answer<'a> = Result<Option<Unknown<'a>>>;

/// A method of objects with a `T` in them.
pub struct Method<T: 'static> {
    pub name: &'static CStr,
    pub body: for<'a> fn(&T, &'a Env, &MethodCall<'a>) -> Answer<'a>,
}

/// A class whose objects may contain a `T`. The methods of an object that contains none are called on the default `T`.
///
/// # Errors
/// An N-API failure.
pub fn class<'a, T: Default + 'static>(
    env: &'a Env,
    name: &CStr,
    methods: &'static [Method<T>],
) -> Result<Unknown<'a>> {
    let property_of = |method: &'static Method<T>| sys::napi_property_descriptor {
        utf8name: method.name.as_ptr(),
        name: ptr::null_mut(),
        method: Some(enter::<T>),
        getter: None,
        setter: None,
        value: ptr::null_mut(),
        attributes: sys::PropertyAttributes::writable | sys::PropertyAttributes::configurable,
        data: ptr::from_ref(method).cast_mut().cast(),
    };
    let properties: Vec<_> = methods.iter().map(property_of).collect();
    let mut class = ptr::null_mut();
    // SAFETY: the name is NUL-terminated.
    check_status!(unsafe {
        sys::napi_define_class(
            env.raw(),
            name.as_ptr(),
            name.count_bytes().cast_signed(),
            Some(construct),
            ptr::null_mut(),
            0,
            ptr::null(),
            &raw mut class,
        )
    })?;
    let class = unknown(env, class);
    // Passed to `napi_define_class`, the methods could be called only on objects that this very constructor has made.
    let prototype = property(env, &class, c"prototype")?;
    // SAFETY: the names are NUL-terminated, and the methods that `enter` gets live for ever.
    check_status!(unsafe {
        sys::napi_define_properties(env.raw(), prototype.raw(), properties.len(), properties.as_ptr())
    })?;
    Ok(class)
}

thread_local! {
    /// The addresses of the values in objects of this thread, with their types. A value that another addon has wrapped
    /// is not listed.
    static VALUES: RefCell<BTreeMap<usize, TypeId>> = const { RefCell::new(BTreeMap::new()) };
}

/// The `T` in an object; `None` if it contains none.
#[must_use]
pub fn native<'a, T: 'static>(env: &'a Env, object: &Unknown<'a>) -> Option<&'a T> {
    let mut data = ptr::null_mut();
    // SAFETY: a value of the scope that is open.
    let status = unsafe { sys::napi_unwrap(env.raw(), object.raw(), &raw mut data) };
    let is_ours = status == sys::Status::napi_ok
        && VALUES.with_borrow(|values| values.get(&data.addr()) == Some(&TypeId::of::<T>()));
    // SAFETY: what `wrap` has put there, which lives as long as the object, and that is in the scope that is open.
    is_ours.then(|| unsafe { &*data.cast::<T>() })
}

/// Puts a value into an object, which owns it from then on.
///
/// # Errors
/// An N-API failure: the object contains a value already.
pub fn wrap<'a, T: 'static>(env: &'a Env, object: &Unknown<'a>, value: T) -> Result<&'a T> {
    let data = Box::into_raw(Box::new(value));
    VALUES.with_borrow_mut(|values| values.insert(data.addr(), TypeId::of::<T>()));
    // SAFETY: `data` is a box that `release` frees: when the object is collected, or here. The object, which is in the
    // scope that is open, keeps it as long as the result is used.
    unsafe {
        let nothing = ptr::null_mut();
        let status = sys::napi_wrap(
            env.raw(),
            object.raw(),
            data.cast(),
            Some(release::<T>),
            nothing,
            ptr::null_mut(),
        );
        if status != sys::Status::napi_ok {
            release::<T>(env.raw(), data.cast(), nothing);
        }
        check_status!(status)?;
        Ok(&*data)
    }
}

unsafe extern "C" fn construct(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut this = ptr::null_mut();
    let nothing = ptr::null_mut();
    // SAFETY: it writes the object that is being made.
    unsafe { sys::napi_get_cb_info(raw, info, ptr::null_mut(), nothing, &raw mut this, ptr::null_mut()) };
    this
}

unsafe extern "C" fn release<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // At the end of the thread the map may be gone.
    let _ = VALUES.try_with(|values| values.borrow_mut().remove(&data.addr()));
    // SAFETY: the box that `wrap` made, freed once.
    let value = unsafe { Box::from_raw(data.cast::<T>()) };
    // A panic cannot be reported to JavaScript here. Its message is on stderr already.
    let _ = caught(|| drop(value));
}

unsafe extern "C" fn enter<T: Default + 'static>(
    raw: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let env = Env::from_raw(raw);
    let answer = caught(|| {
        let (call, method) = Call::<ARGUMENTS>::of(&env, info)?;
        // SAFETY: what `class` has put there.
        let Method { body, .. } = unsafe { &*method.cast::<Method<T>>() };
        match native(&env, &call.this) {
            Some(value) => body(value, &env, &call),
            None => body(&T::default(), &env, &call),
        }
    });
    super::function::answer(raw, answer.unwrap_or_else(Err))
}
