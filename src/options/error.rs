//! Node's errors: what is wrong is decided here, the sentence is put together in `lib/common/errors.js`, because it shows the
//! value as Node would. Without that, for a program that has loaded the addon alone, it names no value.

use std::ffi::CStr;

use napi::bindgen_prelude::{FnArgs, JsValue, JsValuesTupleIntoVec, Object};
use napi::{Error, JsError, JsTypeError, Result, Unknown};

use nix::errno::Errno;

use super::Context;

impl<'a> Context<'a> {
    /// An error that a hook makes, to be thrown.
    fn error<A>(&self, hook: &CStr, arguments: A, code: &str, message: impl FnOnce() -> String) -> Error
    where
        FnArgs<A>: JsValuesTupleIntoVec,
    {
        match self.hook(hook, arguments) {
            Ok(Some(error)) => Error::from(error),
            Ok(None) => {
                let error = Error::new(code.to_owned(), message());
                Error::from(JsTypeError::from(error).into_unknown(*self.env))
            }
            Err(error) => error,
        }
    }

    /// `ERR_INVALID_ARG_TYPE`; `expected` is the phrase after «must be».
    pub fn invalid_type(&self, name: &str, expected: &str, value: &Unknown) -> Error {
        self.error(c"invalidType", (name, expected, *value), "ERR_INVALID_ARG_TYPE", || {
            format!("\"{name}\" must be {expected}")
        })
    }

    /// `ERR_INVALID_ARG_VALUE`; `reason` is what follows the name.
    pub fn invalid_value(&self, name: &str, value: &Unknown, reason: &str) -> Error {
        self.error(c"invalidValue", (name, *value, reason), "ERR_INVALID_ARG_VALUE", || {
            format!("'{name}' {reason}")
        })
    }

    /// `ERR_OUT_OF_RANGE`; `range` is the phrase after «must be».
    pub fn out_of_range(&self, name: &str, range: &str, value: &Unknown) -> Error {
        self.error(c"outOfRange", (name, range, *value), "ERR_OUT_OF_RANGE", || {
            format!("\"{name}\" must be {range}")
        })
    }

    /// `ERR_UNKNOWN_SIGNAL`.
    pub fn unknown_signal(&self, value: &Unknown) -> Error {
        self.error(c"unknownSignal", (*value,), "ERR_UNKNOWN_SIGNAL", || "Unknown signal".into())
    }

    /// `ERR_INVALID_SYNC_FORK_INPUT`.
    pub fn invalid_input(&self, value: &Unknown) -> Error {
        self.error(c"invalidInput", (*value,), "ERR_INVALID_SYNC_FORK_INPUT", || {
            "Asynchronous forks do not support Buffer, TypedArray, DataView or string input".into()
        })
    }

    /// `ERR_IPC_ONE_PIPE`.
    pub fn second_channel(&self) -> Error {
        self.error(c"secondChannel", ((),), "ERR_IPC_ONE_PIPE", || {
            "Child process can have only one IPC pipe".into()
        })
    }

    /// `ERR_CHILD_PROCESS_IPC_REQUIRED`.
    pub fn channel_required(&self, name: &str) -> Error {
        self.error(c"channelRequired", (name,), "ERR_CHILD_PROCESS_IPC_REQUIRED", || {
            format!("Forked processes must have an IPC channel, missing value 'ipc' in {name}")
        })
    }

    /// `ERR_IPC_SYNC_FORK`.
    pub fn synchronous_channel(&self) -> Error {
        self.error(c"synchronousChannel", ((),), "ERR_IPC_SYNC_FORK", || {
            "IPC cannot be used with synchronous forks".into()
        })
    }

    /// The AbortError of an AbortSignal.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn aborted(&self, signal: &Unknown) -> Result<Object<'a>> {
        made(self.error(c"aborted", (*signal,), "ABORT_ERR", || "The operation was aborted".into()), self)
    }

    /// `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`; `name` is that of the output.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn too_much_output(&self, name: &str) -> Result<Object<'a>> {
        let code = "ERR_CHILD_PROCESS_STDIO_MAXBUFFER";
        made(
            self.error(c"tooMuchOutput", (name,), code, || format!("{name} maxBuffer length exceeded")),
            self,
        )
    }

    /// `ERR_MISSING_ARGS`.
    pub fn missing_argument(&self, name: &str) -> Error {
        self.error(c"missingArgument", (name,), "ERR_MISSING_ARGS", || {
            format!("The \"{name}\" argument must be specified")
        })
    }

    /// `ERR_INVALID_HANDLE_TYPE`.
    pub fn invalid_handle(&self) -> Error {
        self.error(c"invalidHandle", ((),), "ERR_INVALID_HANDLE_TYPE", || {
            "This handle type cannot be sent".into()
        })
    }

    /// Node's name of a positive errno: Linux has some that Node does not know.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn errno_name(&self, errno: i32) -> Result<String> {
        match self.hook(c"errnoName", (-errno,))? {
            Some(name) => super::text(&name),
            None => Ok(errno_name(errno)),
        }
    }

    /// A failed system call.
    pub fn system_error(&self, errno: i32, call: &str) -> Error {
        let name = errno_name(errno);
        self.error(c"errnoError", (-errno, call), &name, || format!("{call} {name}"))
    }

    /// The other end of a channel does not keep to the protocol of handles.
    pub fn broken_handle(&self, reason: &str) -> Error {
        let code = "ERR_CHILD_PROCESS_RS_HANDLE";
        self.error(c"brokenHandle", (reason,), code, || reason.into())
    }

    /// `ERR_IPC_CHANNEL_CLOSED`.
    pub fn channel_closed(&self) -> Error {
        self.error(c"channelClosed", ((),), "ERR_IPC_CHANNEL_CLOSED", || "Channel closed".into())
    }
}

/// The name of a positive errno, where nobody can ask Node.
fn errno_name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("Unknown system error {}", -errno),
        Errno::EOPNOTSUPP => "ENOTSUP".into(),
        known => format!("{known:?}"),
    }
}

/// An error as an object.
fn made<'a>(error: Error, context: &Context<'a>) -> Result<Object<'a>> {
    JsError::from(error).into_unknown(*context.env).coerce_to_object()
}
