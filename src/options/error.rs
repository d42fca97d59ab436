//! Node's errors. `lib/common/errors.js` creates them, because their messages show the invalid value as Node does. For
//! a program that has loaded the addon alone, they are created here, and show no value.

use std::ffi::CStr;

use napi::bindgen_prelude::{FnArgs, JsValue, JsValuesTupleIntoVec, Object};
use napi::{Error, JsError, JsTypeError, Result, Unknown};
use nix::errno::Errno;

use super::Context;

impl<'a> Context<'a> {
    /// An error that the hook makes; without hooks one with this code and message.
    fn error<A>(&self, hook: &CStr, arguments: A, code: &str, message: &str) -> Error
    where
        FnArgs<A>: JsValuesTupleIntoVec,
    {
        match self.hook(hook, arguments) {
            Ok(Some(error)) => Error::from(error),
            Ok(None) => {
                let error = JsTypeError::from(Error::new(code, message.to_owned()));
                Error::from(error.into_unknown(*self.env))
            }
            Err(error) => error,
        }
    }

    /// `ERR_INVALID_ARG_TYPE`; `expected` is the phrase after «must be».
    pub fn invalid_type(&self, name: &str, expected: &str, value: &Unknown) -> Error {
        let message = format!("\"{name}\" must be {expected}");
        self.error(c"invalidType", (name, expected, *value), "ERR_INVALID_ARG_TYPE", &message)
    }

    /// `ERR_INVALID_ARG_VALUE`; `reason` is what follows the name.
    pub fn invalid_value(&self, name: &str, value: &Unknown, reason: &str) -> Error {
        let message = format!("'{name}' {reason}");
        self.error(c"invalidValue", (name, *value, reason), "ERR_INVALID_ARG_VALUE", &message)
    }

    /// `ERR_OUT_OF_RANGE`; `range` is the phrase after «must be».
    pub fn out_of_range(&self, name: &str, range: &str, value: &Unknown) -> Error {
        let message = format!("\"{name}\" must be {range}");
        self.error(c"outOfRange", (name, range, *value), "ERR_OUT_OF_RANGE", &message)
    }

    pub fn unknown_signal(&self, value: &Unknown) -> Error {
        self.error(c"unknownSignal", (*value,), "ERR_UNKNOWN_SIGNAL", "Unknown signal")
    }

    pub fn invalid_input(&self, value: &Unknown) -> Error {
        let message = "Asynchronous forks do not support Buffer, TypedArray, DataView or string input";
        self.error(c"invalidInput", (*value,), "ERR_INVALID_SYNC_FORK_INPUT", message)
    }

    pub fn second_channel(&self) -> Error {
        let message = "Child process can have only one IPC pipe";
        self.error(c"secondChannel", ((),), "ERR_IPC_ONE_PIPE", message)
    }

    pub fn channel_required(&self, name: &str) -> Error {
        let message = format!("Forked processes must have an IPC channel, missing value 'ipc' in {name}");
        self.error(c"channelRequired", (name,), "ERR_CHILD_PROCESS_IPC_REQUIRED", &message)
    }

    pub fn synchronous_channel(&self) -> Error {
        let message = "IPC cannot be used with synchronous forks";
        self.error(c"synchronousChannel", ((),), "ERR_IPC_SYNC_FORK", message)
    }

    /// The AbortError of an AbortSignal.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn aborted(&self, signal: &Unknown) -> Result<Object<'a>> {
        self.object(self.error(c"aborted", (*signal,), "ABORT_ERR", "The operation was aborted"))
    }

    /// `name`: that of the output.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn too_much_output(&self, name: &str) -> Result<Object<'a>> {
        let message = format!("{name} maxBuffer length exceeded");
        self.object(self.error(c"tooMuchOutput", (name,), "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", &message))
    }

    pub fn missing_argument(&self, name: &str) -> Error {
        let message = format!("The \"{name}\" argument must be specified");
        self.error(c"missingArgument", (name,), "ERR_MISSING_ARGS", &message)
    }

    pub fn invalid_handle(&self) -> Error {
        self.error(c"invalidHandle", ((),), "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent")
    }

    /// Node's name of a positive errno. Linux has some that Node does not know.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn errno_name(&self, errno: i32) -> Result<String> {
        match self.hook(c"errnoName", (-errno,))? {
            Some(name) => super::text(&name),
            None => Ok(errno_name(errno)),
        }
    }

    /// A system call has failed with a positive errno.
    pub fn system_error(&self, errno: i32, call: &str) -> Error {
        let name = errno_name(errno);
        self.error(c"errnoError", (-errno, call), &name, &format!("{call} {name}"))
    }

    /// The other end of a channel has violated the protocol for handles.
    pub fn broken_handle(&self, reason: &str) -> Error {
        self.error(c"brokenHandle", (reason,), "ERR_CHILD_PROCESS_RS_HANDLE", reason)
    }

    pub fn channel_closed(&self) -> Error {
        self.error(c"channelClosed", ((),), "ERR_IPC_CHANNEL_CLOSED", "Channel closed")
    }

    /// An error as an object.
    fn object(&self, error: Error) -> Result<Object<'a>> {
        JsError::from(error).into_unknown(*self.env).coerce_to_object()
    }
}

/// The name of a positive errno, if Node cannot be asked.
fn errno_name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("Unknown system error {}", -errno),
        Errno::EOPNOTSUPP => "ENOTSUP".into(),
        known => format!("{known:?}"),
    }
}
