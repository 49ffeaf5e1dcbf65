import vue from '@vitejs/plugin-vue'
import {defineConfig} from 'vite'

// What is built is committed beside this folder, so that nobody needs Node to run the platform; names carry the
// content's hash, so that a browser may keep them for ever.
export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: '../static',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    reportCompressedSize: true,
  },
  server: {proxy: {'/api': {target: 'http://127.0.0.1:8700', ws: true}}},
})
