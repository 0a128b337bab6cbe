import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The program carries each file compressed and nothing else: a fifth of the size.
function compress(): Plugin {
  const shrink = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) {
        if (name !== ".vite") shrink(path);
      } else if (!name.startsWith(".") && !name.endsWith(".gz")) {
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        rmSync(path);
      }
    }
  };
  return { name: "compress", apply: "build", closeBundle: () => shrink("dist") };
}

// `npm run dev` shows the pages of a running `lockstep serve`.
const server = process.env.LOCKSTEP_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), compress()],
  build: { target: "es2022", manifest: true, chunkSizeWarningLimit: 1200, reportCompressedSize: false },
  server: { host: "127.0.0.1", port: 5173, proxy: { "/portal": { target: server, secure: false } } },
  test: { include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
