import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findSwiftShader } from "../../src/compute/webgpu/open-node-gpu.ts";

/** Debian's packages of the Vulkan loader, and of a browser that brings the software adapter along. */
const PACKAGES = ["libvulkan1", "chromium"];

/**
 * Makes sure of an adapter for the tests of the GPU kernels: on a Debian machine without one, where this may install
 * packages, it installs Chromium for its software adapter. Elsewhere the tests fail and say what to do.
 */
export function setup(): void {
  const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (hasLoader() && findSwiftShader() !== null) return;
  if (!mayInstall) return;
  process.stderr.write(`gpu tests: installing ${PACKAGES.join(" and ")} for a software adapter\n`);
  const apt = (...args: string[]) =>
    execFileSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt("update");
  apt("install", "-y", "--no-install-recommends", ...PACKAGES);
}

function hasLoader(): boolean {
  try {
    return execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" }).includes("libvulkan.so.1");
  } catch {
    return false;
  }
}
