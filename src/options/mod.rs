//! Turns JavaScript options into plain Rust data, or into the error that Node would throw.
//!
//! There are two steps, as in Node: [`normalize`] turns the arguments of a function into normalised options, [`command`]
//! turns those into a [`crate::launch::Command`]. In most cases one follows the other in the same call. But tracers and
//! coverage tools that patch `ChildProcess.prototype.spawn` see what is in between.

pub mod arguments;
pub mod call;
pub mod channel;
pub mod check;
pub mod command;
pub mod environment;
pub mod error;
pub mod fork;
pub mod given;
pub mod input;
pub mod normalize;
pub mod signal;
pub mod stdio;

use std::ffi::CStr;
use std::sync::OnceLock;

use napi::bindgen_prelude::{
    FnArgs, FromNapiValue, Function, JsObjectValue, JsValue, JsValuesTupleIntoVec, Object,
};
use napi::{Env, Result, Unknown, ValueType};

use crate::engine;
pub use crate::engine::{is_truthy, kind};

/// What the conversions need from JavaScript, above all the hooks, functions that Rust calls by name: those of
/// `lib/process/hooks.js` for processes, those that `open` was given for channels. Everything also works without them,
/// for programs that load the addon alone.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub env: &'a Env,
    hooks: Hooks<'a>,
    /// `Object.keys`; `None` if no options will be read.
    pub keys: Option<Unknown<'a>>,
    /// Whether a child without `options.env` simply inherits the environment; `None` if the caller has not told.
    pub inherits_environment: Option<bool>,
    /// Whether a program sees the options between the call and the launch. Then properties whose names are symbols are
    /// copied, too, for it could see them.
    pub is_watched: bool,
    /// The major version of the running Node.
    pub node: u32,
}

#[derive(Clone, Copy)]
enum Hooks<'a> {
    None,
    These(Object<'a>),
    /// The property `hooks` of this object, which is read only when a hook is needed.
    Of(Object<'a>),
}

impl<'a> Context<'a> {
    /// `host`: the object whose property `hooks` has the hooks, in most cases the process to be launched.
    #[must_use]
    pub fn of(env: &'a Env, host: Option<Object<'a>>) -> Self {
        let hooks = host.map_or(Hooks::None, Hooks::Of);
        Self { hooks, ..Self::new(env, None) }
    }

    /// `hooks`: the object that has the hooks.
    #[must_use]
    pub fn new(env: &'a Env, hooks: Option<Object<'a>>) -> Self {
        static NODE: OnceLock<u32> = OnceLock::new();
        let node = match NODE.get() {
            Some(node) => *node,
            None => *NODE.get_or_init(|| env.get_node_version().map_or(0, |version| version.major)),
        };
        let hooks = hooks.map_or(Hooks::None, Hooks::These);
        Self { env, hooks, keys: None, inherits_environment: None, is_watched: false, node }
    }

    /// Lists the names of options by `keys`, Node's `Object.keys`. That takes a quarter of the time of N-API's function.
    #[must_use]
    pub fn listing_by(self, keys: Unknown<'a>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Reads `inherits_environment` from the host, if that has such a property.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn knowing_inheritance(self) -> Result<Self> {
        let Hooks::Of(host) = &self.hooks else { return Ok(self) };
        let inherits = option(host, c"inheritsEnvironment")?;
        let is_known = kind(&inherits)? == ValueType::Boolean;
        let inherits_environment = is_known.then(|| engine::to_bool(self.env, &inherits)).transpose()?;
        Ok(Self { inherits_environment, ..self })
    }

    /// A member of the hooks; `None` if there is none.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn hook_member(&self, name: &CStr) -> Result<Option<Unknown<'a>>> {
        let hooks = match &self.hooks {
            Hooks::None => return Ok(None),
            Hooks::These(hooks) => hooks.to_unknown(),
            Hooks::Of(host) => option(host, c"hooks")?,
        };
        if kind(&hooks)? != ValueType::Object {
            return Ok(None);
        }
        let member = engine::property(self.env, &hooks, name)?;
        Ok((kind(&member)? != ValueType::Undefined).then_some(member))
    }

    /// Calls a hook; `None` if there is no such hook.
    ///
    /// # Errors
    /// What the hook throws.
    pub fn hook<A>(&self, name: &CStr, arguments: A) -> Result<Option<Unknown<'a>>>
    where
        FnArgs<A>: JsValuesTupleIntoVec,
    {
        let Some(hook) = self.hook_member(name)? else { return Ok(None) };
        Function::<FnArgs<A>, Unknown>::from_unknown(hook)?.call(arguments.into()).map(Some)
    }

    /// Emits a warning (Node.js documentation, «process.emitWarning»).
    ///
    /// # Errors
    /// An N-API failure.
    pub fn warn(&self, message: &str, name: &str) -> Result<()> {
        let [message, name] = [message, name].map(|text| engine::string(self.env, text.as_bytes()));
        engine::call_method(self.env, &self.process()?, c"emitWarning", [&message?, &name?]).map(drop)
    }

    /// `undefined`.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn undefined(&self) -> Result<Unknown<'a>> {
        engine::undefined(self.env)
    }

    /// A property of Node's `process`.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn of_process(&self, name: &CStr) -> Result<Unknown<'a>> {
        engine::property(self.env, &self.process()?, name)
    }

    /// Node's `process`.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn process(&self) -> Result<Unknown<'a>> {
        option(&self.env.get_global()?.coerce_to_object()?, c"process")
    }
}

/// `String(value)`, as UTF-8; lone surrogates become U+FFFD.
///
/// # Errors
/// What the value's `toString` throws; a TypeError for a symbol.
pub fn text(value: &Unknown) -> Result<String> {
    let env = Env::from_raw(value.value().env);
    match engine::utf8(&env, value)? {
        Some(text) => Ok(text),
        None => value.coerce_to_string()?.into_utf8()?.into_owned(),
    }
}

/// Whether `value` is `null` or `undefined`.
pub fn is_nullish(value: &Unknown) -> Result<bool> {
    Ok(matches!(kind(value)?, ValueType::Null | ValueType::Undefined))
}

/// The value of an option; `undefined` if there is none.
pub fn option<'a>(options: &Object<'a>, name: &CStr) -> Result<Unknown<'a>> {
    options.get_c_named_property_unchecked(name)
}
