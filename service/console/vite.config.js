// The built page is committed in page/, so that neither a user nor a plant without internet needs Node.
export default {
  // Relative, so that the page works below any path that a proxy gives it; its files lie in console/ beside it.
  base: "",
  experimental: { renderBuiltUrl: (name) => `console/${name}` },
  build: {
    outDir: "page",
    assetsDir: ".",
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      output: { entryFileNames: "console.js", chunkFileNames: "[name].js", assetFileNames: "console[extname]" },
    },
  },
};
