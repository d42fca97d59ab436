//! Classes of JavaScript whose objects have a value of ours in them: a call of a method costs half of what one that napi-rs makes does, and
//! a class of JavaScript's may derive from them.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_void};
use std::ptr;

use napi::{Env, JsValue, Result, Unknown, check_status, sys};

use super::{Call, caught, unknown};

/// The most arguments that a method takes.
const ARGUMENTS: usize = 3;

/// What a method is called with.
pub type MethodCall<'a> = Call<'a, ARGUMENTS>;
/// What a method gives; `None` is undefined.
pub type Answer<'a> = Result<Option<Unknown<'a>>>;

/// A method of objects with a `T` in them.
pub struct Method<T: 'static> {
    pub name: &'static CStr,
    pub body: for<'a> fn(&T, &'a Env, &MethodCall<'a>) -> Answer<'a>,
}

/// A class whose objects have a `T`, the default one at first.
///
/// # Errors
/// An N-API failure.
pub fn class<'a, T: Default + 'static>(
    env: &'a Env,
    name: &CStr,
    methods: &'static [Method<T>],
) -> Result<Unknown<'a>> {
    let property = |method: &'static Method<T>| sys::napi_property_descriptor {
        utf8name: method.name.as_ptr(),
        name: ptr::null_mut(),
        method: Some(enter::<T>),
        getter: None,
        setter: None,
        value: ptr::null_mut(),
        attributes: sys::PropertyAttributes::writable | sys::PropertyAttributes::configurable,
        data: ptr::from_ref(method).cast_mut().cast(),
    };
    let properties: Vec<_> = methods.iter().map(property).collect();
    let mut class = ptr::null_mut();
    // SAFETY: the names are NUL-terminated, and the methods that `enter` gets live for ever.
    check_status!(unsafe {
        sys::napi_define_class(
            env.raw(),
            name.as_ptr(),
            name.count_bytes().cast_signed(),
            Some(construct::<T>),
            ptr::null_mut(),
            properties.len(),
            properties.as_ptr(),
            &raw mut class,
        )
    })?;
    Ok(unknown(env, class))
}

thread_local! {
    /// Where the values of the objects on this thread are: whoever else has wrapped something does not have it here.
    static VALUES: RefCell<HashMap<usize, TypeId>> = RefCell::default();
}

/// What an object of a class has; `None`: it is of no such class.
#[must_use]
pub fn native<'a, T: 'static>(env: &'a Env, object: &Unknown<'a>) -> Option<&'a T> {
    let mut data = ptr::null_mut();
    // SAFETY: a value of the scope that is open.
    let status = unsafe { sys::napi_unwrap(env.raw(), object.raw(), &raw mut data) };
    let is_ours = status == sys::Status::napi_ok
        && VALUES.with_borrow(|values| values.get(&data.addr()) == Some(&TypeId::of::<T>()));
    // SAFETY: what `construct` has put there, which lives as long as the object, and that is in the scope that is open.
    is_ours.then(|| unsafe { &*data.cast::<T>() })
}

unsafe extern "C" fn construct<T: Default + 'static>(
    raw: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut target = ptr::null_mut();
    let mut this = ptr::null_mut();
    let Ok(value) = caught(T::default) else { return ptr::null_mut() };
    let data: *mut c_void = Box::into_raw(Box::new(value)).cast();
    VALUES.with_borrow_mut(|values| values.insert(data.addr(), TypeId::of::<T>()));
    // SAFETY: `data` is a box that `release` takes back when the object is collected, or that is given back here. Without a target this has
    // been called as a function, on some object that is not ours.
    unsafe {
        let mut status = sys::napi_get_new_target(raw, info, &raw mut target);
        if status == sys::Status::napi_ok && !target.is_null() {
            let nothing = ptr::null_mut();
            sys::napi_get_cb_info(raw, info, ptr::null_mut(), nothing, &raw mut this, ptr::null_mut());
            status = sys::napi_wrap(raw, this, data, Some(release::<T>), ptr::null_mut(), ptr::null_mut());
        }
        if target.is_null() || status != sys::Status::napi_ok {
            release::<T>(raw, data, ptr::null_mut());
        }
    }
    this
}

unsafe extern "C" fn release<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // At the end of the thread it may be gone.
    let _ = VALUES.try_with(|values| values.borrow_mut().remove(&data.addr()));
    // SAFETY: the box that `construct` made, given back once.
    let value = unsafe { Box::from_raw(data.cast::<T>()) };
    // Nobody is there to be told of a panic, which has said on standard error what it had to.
    let _ = caught(|| drop(value));
}

unsafe extern "C" fn enter<T: 'static>(raw: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let env = Env::from_raw(raw);
    let answer = caught(|| {
        let (call, method) = Call::<ARGUMENTS>::of(&env, info)?;
        let mut data = ptr::null_mut();
        // SAFETY: the engine lets methods be called on objects of their class only, which have what `construct` has put there; `method` is
        // what `class` has put there.
        unsafe {
            check_status!(sys::napi_unwrap(raw, call.this.raw(), &raw mut data))?;
            let method = &*method.cast::<Method<T>>();
            (method.body)(&*data.cast::<T>(), &env, &call)
        }
    });
    super::function::answer(raw, answer.unwrap_or_else(Err))
}
