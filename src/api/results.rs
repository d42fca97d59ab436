//! What a process that has run to its end is to JavaScript: outputs as text or bytes, and the errors that tell of a failure.

use napi::bindgen_prelude::{FnArgs, FromNapiValue, Function, JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown, ValueType};

use crate::engine::{self, Memory, Part, Piece, Wrapper};
use crate::options::{Context, is_nullish, is_truthy, kind, text};

/// Longer texts are left to Node, which has an error for one that is too long, bytes.
const LONG: usize = 1 << 28;
/// Copied rather than handed over, bytes.
const SHORT: usize = 4096;

/// An output in `encoding`; a Buffer where that is none.
pub(super) fn decode<'a>(env: &'a Env, bytes: Vec<u8>, encoding: &Unknown) -> Result<Unknown<'a>> {
    let name = if kind(encoding)? == ValueType::String { text(encoding)? } else { String::new() };
    if (name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("utf-8")) && bytes.len() < LONG {
        return engine::string(env, &bytes);
    }
    if is_truthy(encoding)? && name != "buffer" {
        let buffer = buffer(env, bytes)?;
        return Object::from_unknown(buffer)?
            .get_named_property::<Function<FnArgs<(Unknown,)>, Unknown>>("toString")?
            .apply(buffer, FnArgs::from((*encoding,)));
    }
    buffer(env, bytes)
}

fn buffer(env: &Env, bytes: Vec<u8>) -> Result<Unknown<'_>> {
    if bytes.len() <= SHORT {
        return engine::buffer(env, &bytes);
    }
    let range = 0..bytes.len();
    engine::adopt_bytes(env, Part { memory: Memory::Vector(bytes), range }, Wrapper::Buffer)
}

/// The text of an output, decoded or not.
pub(super) fn text_of<'a>(env: &'a Env, output: &Unknown<'a>) -> Result<Unknown<'a>> {
    match engine::with_bytes(env, output, |bytes| engine::string(env, bytes)) {
        Some(text) => text,
        None if is_nullish(output)? => engine::string(env, b""),
        None => Ok(*output),
    }
}

/// An Error with these words.
pub(super) fn error<'a>(env: &'a Env, message: &[Piece]) -> Result<Object<'a>> {
    engine::error(env, &engine::concat(env, message)?)?.coerce_to_object()
}

/// A failed system call, with a positive errno.
pub(super) fn errno_error<'a>(context: &Context<'a>, errno: i32, call: &[Piece]) -> Result<Object<'a>> {
    let env = context.env;
    let name = context.errno_name(errno)?;
    let call = engine::concat(env, call)?;
    let mut error = error(env, &[Piece::Value(call), Piece::Text(" "), Piece::Text(&name)])?;
    error.set_c_named_property(c"errno", -errno)?;
    error.set_c_named_property(c"code", name)?;
    error.set_c_named_property(c"syscall", call)?;
    Ok(error)
}

/// What was to be started.
#[derive(Clone, Copy)]
pub(super) struct Started<'a> {
    pub file: Unknown<'a>,
    /// `argv`, its zeroth entry included.
    pub args: Unknown<'a>,
}

impl<'a> Started<'a> {
    /// `call` has failed for it.
    pub fn failed(&self, context: &Context<'a>, errno: i32, call: &str) -> Result<Object<'a>> {
        let call = [Piece::Text(call), Piece::Text(" "), Piece::Value(self.file)];
        let mut error = errno_error(context, errno, &call)?;
        error.set_c_named_property(c"path", self.file)?;
        let args = crate::options::normalize::elements(&self.args)?;
        error.set_c_named_property(
            c"spawnargs",
            engine::array(context.env, args.get(1..).unwrap_or_default())?,
        )?;
        Ok(error)
    }

    /// Nothing has been started, to be thrown.
    pub fn thrown(&self, context: &Context<'a>, error: &std::io::Error) -> napi::Error {
        match self.failed(context, crate::sys::errno(error), "spawn") {
            Ok(error) => napi::Error::from(error.to_unknown()),
            Err(error) => error,
        }
    }
}

/// Writes to an object what another has of its own, as `Object.assign` does.
pub(super) fn assign(target: &mut Object, source: &Object) -> Result<()> {
    let names = source.get_property_names()?;
    for index in 0..names.get_array_length()? {
        let name: Unknown = names.get_element(index)?;
        target.set_property(name, source.get_property_unchecked::<_, Unknown>(name)?)?;
    }
    Ok(())
}

/// Asks the host whether anything may be started, where Node's permission model is at work.
pub(super) fn check_permitted(context: &Context, file: &Unknown) -> Result<()> {
    context.hook(c"checkPermitted", (*file,)).map(drop)
}

/// Whether `value` is an AbortSignal that has been aborted.
pub(super) fn is_aborted(value: &Unknown) -> Result<bool> {
    if kind(value)? != ValueType::Object {
        return Ok(false);
    }
    is_truthy(&crate::options::option(&value.coerce_to_object()?, c"aborted")?)
}
