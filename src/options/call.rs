//! The arguments of `exec()` and `execFile()`, of which all but the first may be left out.

use napi::bindgen_prelude::JsValue;
use napi::{Result, Unknown, ValueType};

use super::arguments::{self, Arguments};
use super::given::Options;
use super::normalize::elements;
use super::{Context, is_nullish, kind};
use crate::engine;

/// The arguments of `execFile()` and `execFileSync()`.
pub struct Call<'a> {
    pub file: Unknown<'a>,
    pub args: Unknown<'a>,
    pub options: Unknown<'a>,
    pub callback: Unknown<'a>,
}

impl<'a> Call<'a> {
    /// Finds out which argument is which, and checks the options and the callback.
    ///
    /// # Errors
    /// What Node throws for the first thing that is wrong.
    pub fn read(
        context: &Context<'a>,
        file: Unknown<'a>,
        mut args: Unknown<'a>,
        mut options: Unknown<'a>,
        mut callback: Unknown<'a>,
    ) -> Result<Self> {
        let undefined = context.undefined()?;
        match kind(&args)? {
            ValueType::Object if !args.is_array()? => {
                callback = options;
                options = args;
                args = undefined;
            }
            ValueType::Function => {
                callback = args;
                options = undefined;
                args = undefined;
            }
            _ => {}
        }
        if kind(&options)? == ValueType::Function {
            callback = options;
        }
        arguments::check_call(context, &options, &callback)?;
        if args.is_array()? || is_nullish(&args)? {
            // A copy, because the caller may change the array later.
            args = engine::array(context.env, &elements(&args)?)?;
        }
        Ok(Self { file, args, options, callback })
    }
}

/// The arguments of `exec()` and `execSync()` as those of `spawn()`, with a shell.
///
/// # Errors
/// `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`.
pub fn read_command<'a>(
    context: &Context<'a>,
    command: Unknown<'a>,
    options: Unknown<'a>,
) -> Result<Arguments<'a>> {
    context.check_string(&command, "command")?;
    context.check_no_nul(&command, || "command".into())?;
    let undefined = context.undefined()?;
    let given = if kind(&options)? == ValueType::Function { undefined } else { options };
    let mut options = Options::read(context, &given)?;
    if kind(&options.get("shell"))? != ValueType::String {
        options.set(context, "shell", engine::boolean(context.env, true)?)?;
    }
    Ok(Arguments { file: command, args: undefined, given: undefined, options })
}
