//! Turns the arguments of `spawn()` into normalised options.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Result, Unknown, ValueType};

use super::arguments::{self, Arguments};
use super::environment::{self, Pairs};
use super::given::Options;
use super::{Context, is_nullish, kind, text};
use crate::engine;

/// The shell of `shell: true`.
const SHELL: &str = "/bin/sh";

/// Normalised options.
pub struct Normalized<'a> {
    pub file: Unknown<'a>,
    /// `argv`, its zeroth entry included; the elements are as they were given.
    pub words: Vec<Unknown<'a>>,
    /// Whether `argv` is the file and then the arguments.
    pub is_plain: bool,
    pub env: Pairs,
    pub cwd: Option<Unknown<'a>>,
    /// The rest, as it was given.
    pub options: Options<'a>,
}

/// Checks the arguments of `spawn()` and normalises them.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn normalize<'a>(context: &Context<'a>, arguments: Arguments<'a>) -> Result<Normalized<'a>> {
    let cwd = arguments.options.given("cwd").map(|cwd| path_of_url(context, *cwd)).transpose()?;
    arguments::check(context, &arguments, cwd.as_ref())?;
    let Arguments { mut file, args, options, .. } = arguments;
    let mut words = elements(&args)?;
    let shell = options.get("shell");
    let has_shell = options.is_truthy("shell")?;
    if has_shell {
        if !words.is_empty() {
            context.hook(c"warnOfShellArguments", ((),))?;
            words.insert(0, file);
            file = join(context, &words)?;
        }
        words = vec![engine::string(context.env, b"-c")?, file];
        let is_named = kind(&shell)? == ValueType::String;
        file = if is_named { shell } else { engine::string(context.env, SHELL.as_bytes())? };
    }
    let argv0 = match options.given("argv0") {
        Some(argv0) if !is_nullish(argv0)? => Some(*argv0),
        _ => None,
    };
    words.insert(0, argv0.unwrap_or(file));
    let mut env = environment::pairs(context, &options)?;
    // There is such a hook only under Node's permission model.
    if let Some(pairs) =
        env.take_if(|_| context.hook_member(c"passPermissions").is_ok_and(|hook| hook.is_some()))
    {
        let passing = context.hook(c"passPermissions", (pairs, engine::array(context.env, &words)?))?;
        let passing = passing.map_or(Ok(vec![]), |list| elements(&list))?;
        env = Some(passing.iter().map(text).collect::<Result<_>>()?);
    }
    Ok(Normalized { file, words, is_plain: !has_shell && argv0.is_none(), env, cwd, options })
}

impl<'a> Normalized<'a> {
    /// `argv` as an array.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn args(&self, context: &Context<'a>) -> Result<Unknown<'a>> {
        engine::array(context.env, &self.words)
    }

    /// Writes them to an object, in the form that `ChildProcess.prototype.spawn` takes.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn write_to(&self, context: &Context<'a>, target: &mut Object) -> Result<()> {
        let Self { file, env, cwd, options, .. } = self;
        options.write_to(target)?;
        target.set_c_named_property(c"args", self.args(context)?)?;
        target.set_c_named_property(c"cwd", cwd.map_or_else(|| context.undefined(), Ok)?)?;
        target.set_c_named_property(c"detached", options.is_truthy("detached")?)?;
        target.set_c_named_property(c"envPairs", env.clone())?;
        target.set_c_named_property(c"file", *file)?;
        target.set_c_named_property(c"windowsHide", options.is_truthy("windowsHide")?)?;
        let is_verbatim = options.is_truthy("windowsVerbatimArguments")?;
        target.set_c_named_property(c"windowsVerbatimArguments", is_verbatim)
    }
}

/// Converts a `file:` URL to a path, if there is a hook for that. Returns any other value unchanged.
///
/// # Errors
/// What Node throws for a URL that names no file.
pub fn path_of_url<'a>(context: &Context<'a>, path: Unknown<'a>) -> Result<Unknown<'a>> {
    if kind(&path)? != ValueType::Object {
        return Ok(path);
    }
    Ok(context.hook(c"pathOfUrl", (path,))?.unwrap_or(path))
}

/// The elements of an array; none if it is not an array.
///
/// # Errors
/// What a getter throws.
pub fn elements<'a>(list: &Unknown<'a>) -> Result<Vec<Unknown<'a>>> {
    if list.is_array()? { engine::elements(list) } else { Ok(vec![]) }
}

/// Joins values with spaces, like `Array.prototype.join`: null and undefined become empty strings.
///
/// # Errors
/// What a `toString` throws.
pub fn join<'a>(context: &Context<'a>, list: &[Unknown<'a>]) -> Result<Unknown<'a>> {
    if let [one] = list
        && kind(one)? == ValueType::String
    {
        return Ok(*one);
    }
    let mut units = vec![];
    for (index, element) in list.iter().enumerate() {
        if index > 0 {
            units.push(u16::from(b' '));
        }
        if !is_nullish(element)? {
            let text: Unknown = element.coerce_to_string()?.to_unknown();
            units.extend(engine::utf16(context.env, &text)?);
        }
    }
    Ok(context.env.create_string_utf16(&units)?.to_unknown())
}
