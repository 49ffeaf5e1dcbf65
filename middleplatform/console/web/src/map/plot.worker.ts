/* The plan's own thread: it draws what stands still, so that the page can move meanwhile. */
import {plot, type Sketch, type Wish} from './sketch'

let sketch: Sketch | null = null
let sheet: OffscreenCanvas | null = null

onmessage = ({data}: MessageEvent<{sketch: Sketch} | {wish: Wish; number: number}>): void => {
  if ('sketch' in data) {
    sketch = data.sketch
    return
  }
  if (!sketch) return
  const {wish, number} = data
  const [width, height] = [Math.round(wish.w * wish.ratio), Math.round(wish.h * wish.ratio)]
  if (!sheet) sheet = new OffscreenCanvas(width, height)
  else if (sheet.width !== width || sheet.height !== height) Object.assign(sheet, {width, height})
  plot(sheet.getContext('2d')!, sketch, wish)
  const bitmap = sheet.transferToImageBitmap()
  // A worker's own postMessage: the page's wants an origin.
  ;(postMessage as (message: unknown, owned: Transferable[]) => void)({bitmap, number}, [bitmap])
}
