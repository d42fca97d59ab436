//! Turns the arguments of `fork()` into those of `spawn()`.

use napi::bindgen_prelude::JsValue;
use napi::{Result, Unknown, ValueType};

use super::arguments::{self, Arguments};
use super::given::Options;
use super::normalize::{elements, path_of_url};
use super::{Context, is_nullish, is_truthy, kind, text};
use crate::engine;

/// A Node that is to be started with a channel.
pub struct Forked<'a> {
    pub arguments: Arguments<'a>,
    pub exec_argv: Vec<Unknown<'a>>,
    /// Whether it is the same Node, run by the same user, and the builtin's end of the channel was not asked for.
    pub is_this_node: bool,
}

/// Checks the arguments of `fork()`.
///
/// # Errors
/// What Node throws for the first thing that is wrong.
pub fn read<'a>(
    context: &Context<'a>,
    module_path: Unknown<'a>,
    mut args: Unknown<'a>,
    mut given: Unknown<'a>,
) -> Result<Forked<'a>> {
    let path = path_of_url(context, module_path)?;
    if kind(&args)? == ValueType::Object && !args.is_array()? {
        given = args;
        args = context.undefined()?;
    }
    if is_nullish(&args)? {
        args = engine::array(context.env, &[])?;
    }
    arguments::check_fork(context, &path, &args, &given)?;
    if is_nullish(&given)? {
        given = context.undefined()?;
    }
    let mut options = Options::read(context, &given)?;
    options.set(context, "shell", engine::boolean(context.env, false)?)?;
    let this_node = context.of_process(c"execPath")?;
    if !options.is_truthy("execPath")? {
        options.set(context, "execPath", this_node)?;
    }
    let exec_path = options.get("execPath");
    let chosen = options.get("execArgv");
    let own = context.of_process(c"execArgv")?;
    let exec_argv = if is_truthy(&chosen)? { chosen } else { own };
    let is_text = kind(&exec_argv)? == ValueType::String;
    let checked = if is_text { list_of(context, exec_argv)? } else { exec_argv };
    arguments::check_forked(context, &exec_path, &checked, &options.get("stdio"))?;
    let list = list_of(context, exec_argv)?;
    let stdio = with_channel(context, &options)?;
    options.set(context, "stdio", stdio)?;
    let exec_argv =
        if is_same(context, &exec_argv, &own)? { without_eval(context, &list)? } else { elements(&list)? };
    let is_this_node = is_this_node(context, &options, &exec_path, &this_node)?;
    let mut all = exec_argv.clone();
    all.push(path);
    all.extend(elements(&args)?);
    let args = engine::array(context.env, &all)?;
    Ok(Forked { arguments: Arguments { file: exec_path, args, given, options }, exec_argv, is_this_node })
}

fn is_this_node(
    context: &Context,
    options: &Options,
    exec_path: &Unknown,
    this_node: &Unknown,
) -> Result<bool> {
    let wanted = options.get("nativeChannel");
    let is_refused = kind(&wanted)? == ValueType::Boolean && !is_truthy(&wanted)?;
    // Another user might not be able to read our files.
    let changes_user = kind(&options.get("uid"))? != ValueType::Undefined
        || kind(&options.get("gid"))? != ValueType::Undefined;
    Ok(!is_refused && !changes_user && is_same(context, exec_path, this_node)?)
}

fn is_same(context: &Context, one: &Unknown, other: &Unknown) -> Result<bool> {
    context.env.strict_equals(*one, *other)
}

/// `execArgv` as an array; it may be anything iterable.
fn list_of<'a>(context: &Context<'a>, exec_argv: Unknown<'a>) -> Result<Unknown<'a>> {
    if exec_argv.is_array()? {
        return Ok(exec_argv);
    }
    Ok(context.hook(c"listOf", (exec_argv,))?.unwrap_or(exec_argv))
}

fn with_channel<'a>(context: &Context<'a>, options: &Options<'a>) -> Result<Unknown<'a>> {
    let stdio = options.get("stdio");
    if stdio.is_array()? {
        return Ok(stdio);
    }
    let env = context.env;
    let channel = engine::string(env, b"ipc")?;
    let entry = match kind(&stdio)? {
        ValueType::String => stdio,
        _ if options.is_truthy("silent")? => engine::string(env, b"pipe")?,
        _ => engine::string(env, b"inherit")?,
    };
    if text(&entry)? == "inherit" {
        let [input, output, errors] = [0.0, 1.0, 2.0].map(|fd| engine::number(env, fd));
        return engine::array(env, &[input?, output?, errors?, channel]);
    }
    engine::array(env, &[entry, entry, entry, channel])
}

/// This process's own `execArgv` without `-e script`, which the child would run instead of the module.
fn without_eval<'a>(context: &Context<'a>, exec_argv: &Unknown<'a>) -> Result<Vec<Unknown<'a>>> {
    let mut list = elements(exec_argv)?;
    let script = context.of_process(c"_eval")?;
    if is_nullish(&script)? {
        return Ok(list);
    }
    let mut place = None;
    for (index, option) in list.iter().enumerate().skip(1) {
        if is_same(context, option, &script)? {
            place = Some(index);
        }
    }
    if let Some(place) = place {
        list.drain(place - 1..=place);
    }
    Ok(list)
}
