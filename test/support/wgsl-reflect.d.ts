// The package's types belong to its main entry, which is CommonJS under `"type": "module"` and cannot be imported.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}
