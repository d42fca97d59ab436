//! What `spawn(file, args, options)` was called with: checked here, in Node's order; `lib/spawn.js` puts the normalised
//! options together. Values come one by one, because JavaScript reads properties far faster than N-API does.

use napi::bindgen_prelude::{Array, FromNapiValue, JsObjectValue, JsValue, Object};
use napi::{Result, Unknown, ValueType};

use super::{Context, is_nullish, is_truthy, kind, option, signal, stdio, text};

/// The arguments, and the options that need a look before anything is started.
pub struct Arguments<'a> {
    pub file: Unknown<'a>,
    pub args: Unknown<'a>,
    pub options: Unknown<'a>,
    pub cwd: Unknown<'a>,
    pub detached: Unknown<'a>,
    pub uid: Unknown<'a>,
    pub gid: Unknown<'a>,
    pub shell: Unknown<'a>,
    pub argv0: Unknown<'a>,
    pub windows_hide: Unknown<'a>,
    pub windows_verbatim_arguments: Unknown<'a>,
}

/// Checks the arguments.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check(context: &Context, arguments: &Arguments) -> Result<()> {
    let file = context.check_string(&arguments.file, "file")?;
    if file.contains('\0') {
        context.check_no_nul(&arguments.file, || "file".into())?;
    }
    if file.is_empty() {
        return Err(context.invalid_value("file", &arguments.file, "cannot be empty"));
    }
    check_args(context, &arguments.args)?;
    if kind(&arguments.options)? != ValueType::Undefined {
        context.check_object(&arguments.options, "options")?;
    }
    if !is_nullish(&arguments.cwd)? {
        context.check_path(&arguments.cwd, "options.cwd")?;
    }
    context.check_boolean(&arguments.detached, "options.detached")?;
    context.check_id(&arguments.uid, "options.uid")?;
    context.check_id(&arguments.gid, "options.gid")?;
    let shell = &arguments.shell;
    if !matches!(kind(shell)?, ValueType::String | ValueType::Boolean) && !is_nullish(shell)? {
        return Err(context.invalid_type("options.shell", "one of type boolean or string", shell));
    }
    if !is_nullish(&arguments.argv0)? {
        context.check_string(&arguments.argv0, "options.argv0")?;
        context.check_no_nul(&arguments.argv0, || "options.argv0".into())?;
    }
    context.check_boolean(&arguments.windows_hide, "options.windowsHide")?;
    context.check_boolean(&arguments.windows_verbatim_arguments, "options.windowsVerbatimArguments")?;
    context.check_no_nul(shell, || "options.shell".into())
}

/// Checks what may end a child early. Gives the number of `options.killSignal`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_ending(
    context: &Context,
    timeout: &Unknown,
    abort: &Unknown,
    kill_signal: &Unknown,
) -> Result<Option<i32>> {
    context.check_timeout(timeout)?;
    context.check_abort_signal(abort)?;
    signal::from_option(context, kill_signal)
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

/// Checks the command line of `exec()`.
///
/// # Errors
/// `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`.
pub fn check_command(context: &Context, command: &Unknown) -> Result<()> {
    context.check_string(command, "command")?;
    context.check_no_nul(command, || "command".into())
}

/// Checks what `execFile()` was called with besides the file and its arguments.
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
        let argv0 = option(&options.coerce_to_object()?, c"argv0")?;
        if !is_nullish(&argv0)? {
            context.check_string(&argv0, "options.argv0")?;
            context.check_no_nul(&argv0, || "options.argv0".into())?;
        }
    }
    Ok(())
}

/// Checks what limits a process whose output is gathered. Gives the number of `options.killSignal`.
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

/// Checks what `fork()` was called with.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn check_fork(context: &Context, module_path: &Unknown, args: &Unknown, options: &Unknown) -> Result<()> {
    context.check_path(module_path, "modulePath")?;
    context.check_array(args, "args")?;
    if is_nullish(options)? { Ok(()) } else { context.check_object(options, "options") }
}

/// Checks the options of `fork()` that `spawn()` does not have in this form.
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
        return stdio::check_shorthand(context, stdio);
    }
    if stdio.is_array()? && !stdio::has_channel(*stdio)? {
        return Err(context.channel_required("options.stdio"));
    }
    Ok(())
}

/// Where Node writes coverage (Node.js documentation, «NODE_V8_COVERAGE»).
const COVERAGE: &str = "NODE_V8_COVERAGE";

/// A child's environment as `NAME=value` strings: every enumerable property of `env`, inherited ones included, but
/// those that are `undefined`; and `NODE_V8_COVERAGE`, which reaches children whatever environment they are given.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE` for a NUL; what a value's `toString` throws.
pub fn env_pairs(context: &Context, env: &Object, coverage: &Unknown) -> Result<Vec<String>> {
    let mut pairs = vec![];
    let passes_coverage = is_truthy(coverage)? && !env.has_own_property(COVERAGE)?;
    collect(context, env, passes_coverage.then_some(COVERAGE), &mut pairs)?;
    if passes_coverage {
        pairs.push(format!("{COVERAGE}={}", text(coverage)?));
    }
    Ok(pairs)
}

/// Every enumerable property, inherited ones included, but those that are `undefined` and the one named.
fn collect(context: &Context, env: &Object, but: Option<&str>, pairs: &mut Vec<String>) -> Result<()> {
    let names = env.get_property_names()?;
    for index in 0..names.get_array_length()? {
        let name: Unknown = names.get_element(index)?;
        let value: Unknown = env.get_property_unchecked(name)?;
        if kind(&value)? == ValueType::Undefined {
            continue;
        }
        let key = text(&name)?;
        if but == Some(key.as_str()) {
            continue;
        }
        context.check_no_nul(&name, || format!("options.env['{key}']"))?;
        context.check_no_nul(&value, || format!("options.env['{key}']"))?;
        pairs.push(format!("{key}={}", text(&value)?));
    }
    Ok(())
}
