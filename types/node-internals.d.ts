// Parts of Node that lib/ uses and @types/node does not declare, because they are undocumented or in other versions
// only.

export {};

declare global {
  namespace NodeJS {
    interface Process {
      _preload_modules?: string[];
      _tickCallback?(): void;
      domain?: any;
      moduleLoadList?: string[];
    }

    interface ProcessReport {
      excludeNetwork?: boolean;
    }
  }
}

declare module 'node:child_process' {
  function _forkChild(fd: number, serialization: number): void;
}

declare module 'node:net' {
  interface Socket {
    _readableState: Record<string, unknown>;
    _writableState: Record<string, unknown>;
  }
}

declare module 'node:v8' {
  interface DefaultDeserializer {
    _readHostObject(): object;
  }

  interface DefaultSerializer {
    _writeHostObject(object: object): void;
  }
}
