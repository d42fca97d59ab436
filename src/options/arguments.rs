//! Checks the arguments of the functions, in the same order as Node.

use napi::bindgen_prelude::{Array, FromNapiValue, JsObjectValue, JsValue};
use napi::{Result, Unknown, ValueType};

use super::given::Options;
use super::{Context, is_nullish, kind, option, signal, stdio};
use crate::engine;

/// The arguments of `spawn()`.
pub struct Arguments<'a> {
    pub file: Unknown<'a>,
    pub args: Unknown<'a>,
    /// The third argument as it was given.
    pub given: Unknown<'a>,
    pub options: Options<'a>,
}

/// Checks the arguments. `cwd` is `options.cwd` if that was given, converted to a path if it was a URL.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check(context: &Context, arguments: &Arguments, cwd: Option<&Unknown>) -> Result<()> {
    let Arguments { file, args, given, options } = arguments;
    let name = context.check_string(file, "file")?;
    if name.contains('\0') {
        context.check_no_nul(file, || "file".into())?;
    }
    if name.is_empty() {
        return Err(context.invalid_value("file", file, "cannot be empty"));
    }
    check_args(context, args)?;
    if kind(given)? != ValueType::Undefined {
        context.check_object(given, "options")?;
    }
    if let Some(cwd) = cwd
        && !is_nullish(cwd)?
    {
        context.check_path(cwd, "options.cwd")?;
    }
    let check_boolean =
        |name, path| options.given(name).map_or(Ok(false), |value| context.check_boolean(value, path));
    check_boolean("detached", "options.detached")?;
    for (name, path) in [("uid", "options.uid"), ("gid", "options.gid")] {
        options.given(name).map_or(Ok(()), |id| context.check_id(id, path))?;
    }
    let shell = options.given("shell");
    if let Some(shell) = shell
        && !matches!(kind(shell)?, ValueType::String | ValueType::Boolean)
        && !is_nullish(shell)?
    {
        return Err(context.invalid_type("options.shell", "one of type boolean or string", shell));
    }
    if let Some(argv0) = options.given("argv0") {
        check_argv0(context, argv0)?;
    }
    check_boolean("windowsHide", "options.windowsHide")?;
    check_boolean("windowsVerbatimArguments", "options.windowsVerbatimArguments")?;
    shell.map_or(Ok(()), |shell| context.check_no_nul(shell, || "options.shell".into()))
}

fn check_argv0(context: &Context, argv0: &Unknown) -> Result<()> {
    if is_nullish(argv0)? {
        return Ok(());
    }
    context.check_string(argv0, "options.argv0")?;
    context.check_no_nul(argv0, || "options.argv0".into())
}

/// Checks the options that may end a child early. Returns the number of `options.killSignal`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_ending(context: &Context, options: &Options) -> Result<Option<i32>> {
    options.given("timeout").map_or(Ok(()), |timeout| context.check_timeout(timeout))?;
    options.given("signal").map_or(Ok(()), |signal| context.check_abort_signal(signal))?;
    options.given("killSignal").map_or(Ok(None), |number| signal::from_option(context, number))
}

fn check_args(context: &Context, args: &Unknown) -> Result<()> {
    match kind(args)? {
        ValueType::Object if args.is_array()? => {}
        ValueType::Undefined | ValueType::Null => return Ok(()),
        _ => return Err(context.invalid_type("args", "of type object", args)),
    }
    let args = Array::from_unknown(*args)?;
    for index in 0..args.len() {
        context.check_no_nul(&args.get_element(index)?, || format!("args[{index}]"))?;
    }
    Ok(())
}

/// Checks the options and the callback of `execFile()`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_call(context: &Context, options: &Unknown, callback: &Unknown) -> Result<()> {
    if !is_nullish(options)? && kind(options)? != ValueType::Function {
        context.check_object(options, "options")?;
    }
    if !is_nullish(callback)? && kind(callback)? != ValueType::Function {
        return Err(context.invalid_type("callback", "of type function", callback));
    }
    if matches!(kind(options)?, ValueType::Object | ValueType::Function) {
        check_argv0(context, &option(&options.coerce_to_object()?, c"argv0")?)?;
    }
    Ok(())
}

/// Checks the limits of a process whose output is captured. Returns the number of `options.killSignal`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_limits(
    context: &Context,
    timeout: &Unknown,
    max_buffer: &Unknown,
    kill_signal: &Unknown,
) -> Result<Option<i32>> {
    context.check_timeout(timeout)?;
    context.check_max_buffer(max_buffer)?;
    signal::from_option(context, kill_signal)
}

/// `options.maxBuffer`, bytes, or its default.
///
/// # Errors
/// An N-API failure.
pub fn max_buffer<'a>(context: &Context<'a>, options: &Options<'a>) -> Result<Unknown<'a>> {
    const USUAL: f64 = 1024.0 * 1024.0;
    Ok(options.get_or("maxBuffer", engine::number(context.env, USUAL)?))
}

/// Checks the arguments of `fork()`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_fork(context: &Context, module_path: &Unknown, args: &Unknown, options: &Unknown) -> Result<()> {
    context.check_path(module_path, "modulePath")?;
    context.check_array(args, "args")?;
    if is_nullish(options)? { Ok(()) } else { context.check_object(options, "options") }
}

/// Checks the options that `spawn()` does not have, or has in another form.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_forked(
    context: &Context,
    exec_path: &Unknown,
    exec_argv: &Unknown,
    stdio: &Unknown,
) -> Result<()> {
    context.check_no_nul(exec_path, || "options.execPath".into())?;
    if exec_argv.is_array()? {
        let exec_argv = Array::from_unknown(*exec_argv)?;
        for index in 0..exec_argv.len() {
            context.check_no_nul(&exec_argv.get_element(index)?, || format!("options.execArgv[{index}]"))?;
        }
    }
    if kind(stdio)? == ValueType::String {
        return stdio::shorthand(context, stdio).map(drop);
    }
    if stdio.is_array()? && !stdio::has_channel(*stdio)? {
        return Err(context.channel_required("options.stdio"));
    }
    Ok(())
}
