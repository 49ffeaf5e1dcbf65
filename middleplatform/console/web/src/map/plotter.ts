/* Asks the plan's thread for a drawing, the newest wish alone; where there is no such thread, draws here. */
import {plot, type Sketch, type View, type Wish} from './sketch'

export interface Drawn {
  picture: CanvasImageSource
  view: View
  /** Of the sheet, px. */
  w: number
  h: number
}

export class Plotter {
  private worker: Worker | null = null
  private sketch: Sketch | null = null
  private asked: Wish | null = null
  private next: Wish | null = null
  private number = 0

  constructor(private readonly ready: (drawn: Drawn) => void) {
    try {
      this.worker = new Worker(new URL('./plot.worker.ts', import.meta.url), {type: 'module'})
    } catch {
      return
    }
    this.worker.onmessage = ({data}: MessageEvent<{bitmap: ImageBitmap; number: number}>) => this.answered(data.bitmap, data.number)
    this.worker.onerror = () => {
      this.worker?.terminate()
      this.worker = null
      const wish = this.next ?? this.asked
      this.asked = this.next = null
      if (wish) this.ask(wish)
    }
  }

  show(sketch: Sketch): void {
    this.sketch = sketch
    this.number++
    this.asked = this.next = null
    this.worker?.postMessage({sketch})
  }

  ask(wish: Wish): void {
    if (!this.sketch) return
    if (!this.worker) this.ready(this.here(wish)!)
    else if (this.asked) this.next = wish
    else {
      this.asked = wish
      this.worker.postMessage({wish, number: ++this.number})
    }
  }

  /** At once, on the page's own thread: for print, which waits for nobody. */
  here(wish: Wish): Drawn | null {
    if (!this.sketch) return null
    const picture = document.createElement('canvas')
    picture.width = Math.round(wish.w * wish.ratio)
    picture.height = Math.round(wish.h * wish.ratio)
    plot(picture.getContext('2d')!, this.sketch, wish)
    return {picture, view: wish.view, w: wish.w, h: wish.h}
  }

  end(): void {
    this.worker?.terminate()
    this.worker = null
    this.sketch = null
  }

  private answered(picture: ImageBitmap, number: number): void {
    const wish = this.asked
    this.asked = null
    if (!wish || number !== this.number) picture.close()
    else this.ready({picture, view: wish.view, w: wish.w, h: wish.h})
    const next = this.next
    this.next = null
    if (next) this.ask(next)
  }
}
