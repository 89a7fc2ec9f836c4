/**
 * ONNX Runtime sends facts on its sessions and models to its makers, from 1.29 on Linux and macOS as well, and leaves an
 * identifier and a cache of what it could not send in the home folder. Networks here may be private, so that is off,
 * unless the environment says otherwise. To be imported in front of the runtime, which reads this once.
 */
process.env.ORT_DISABLE_TELEMETRY ??= "1";
