import { defineConfig } from 'vite'

// One script and one style sheet, with their hashes in their names, below /ui. Nothing is
// inlined, because the policy of the page allows only files of its own.
export default defineConfig({
  base: '/ui/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: process.env.SLUICE_CONSOLE_OUT ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
