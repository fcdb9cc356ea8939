// Draws points on the GPU with deck.gl, in a layer of our own. Each token is one GL point, clipped to
// a disc: the ScatterplotLayer of deck.gl draws two triangles instead, which is many times slower in
// software. Both positions of a token are on the GPU, and the shader blends them.

const view = {
  name: "view",
  vs: `uniform viewUniforms {
  vec2 centre; // of the screen, in map coordinates
  vec2 clipScale; // map units → clip space
  vec4 background; // rgb of the background, and the opacity of the points
  float diameter; // device pixels
  float blend; // 0 for the first positions, 1 for the second
} view;
`,
  fs: "",
  uniformTypes: { centre: "vec2<f32>", clipScale: "vec2<f32>", background: "vec4<f32>", diameter: "f32", blend: "f32" },
};

const vs = `#version 300 es
in vec2 first;
in vec2 second;
in vec4 colour;
out vec3 rgb;
void main() {
  vec2 position = (mix(first, second, view.blend) - view.centre) * view.clipScale;
  gl_Position = vec4(colour.a > 0.0 ? position : vec2(9.0), 0.0, 1.0); // hidden points are off the screen
  gl_PointSize = view.diameter;
  rgb = mix(view.background.rgb, colour.rgb, view.background.a);
}`;

const fs = `#version 300 es
precision mediump float;
in vec3 rgb;
out vec4 pixel;
void main() {
  vec2 offset = gl_PointCoord - 0.5;
  if (dot(offset, offset) > 0.25) discard;
  pixel = vec4(rgb, 1.0);
}`;

/** Define the layer, after deck.gl is loaded. props: { first, second, colours, uniforms }. */
function definePointLayer() {
  class PointLayer extends globalThis.deck.Layer {
    initializeState() {
      const { device } = this.context;
      const { first, second, colours } = this.props;
      const buffers = [first, second, colours].map((data) => device.createBuffer({ data }));
      const model = new globalThis.luma.Model(device, {
        id: this.props.id, vs, fs, modules: [view], topology: "point-list", vertexCount: first.length / 2,
        attributes: { first: buffers[0], second: buffers[1], colour: buffers[2] },
        bufferLayout: [
          { name: "first", format: "float32x2" },
          { name: "second", format: "float32x2" },
          { name: "colour", format: "unorm8x4" },
        ],
        parameters: { depthCompare: "always", depthWriteEnabled: false, blend: false },
      });
      this.setState({ model, buffers });
    }

    updateState({ props, oldProps }) {
      if (!oldProps.colours) return;
      ["first", "second", "colours"].forEach((name, i) => props[name] !== oldProps[name] && this.state.buffers[i].write(props[name]));
    }

    finalizeState(context) {
      super.finalizeState(context);
      this.state.buffers.forEach((buffer) => buffer.destroy());
    }

    // the shader above needs no attributes or shader modules of deck.gl
    _getAttributeManager() {
      return null;
    }

    setShaderModuleProps() {}

    draw() {
      this.state.model.shaderInputs.setProps({ view: this.props.uniforms });
      this.state.model.draw(this.context.renderPass);
    }
  }
  PointLayer.layerName = "PointLayer";
  PointLayer.defaultProps = { uniforms: { type: "object", value: {} } };
  return PointLayer;
}

export class WebGLPainter {
  /** Load the library (script: its source) and start it; returns null if there is no WebGL 2. */
  static async start(canvas, script) {
    if (!document.createElement("canvas").getContext("webgl2")) return null;
    const element = document.createElement("script");
    element.textContent = script;
    document.head.append(element);
    const { Deck, OrthographicView, log } = globalThis.deck;
    log.level = 0;
    return new Promise((resolve, reject) => {
      const deck = new Deck({
        canvas, controller: false, views: new OrthographicView(), viewState: { target: [0, 0, 0], zoom: 0 },
        useDevicePixels: Math.min(devicePixelRatio || 1, 2),
        // for discs of a few pixels, antialiasing costs time and is hardly visible
        deviceProps: { type: "webgl", webgl: { antialias: false } },
        layers: [],
        onLoad: () => resolve(new WebGLPainter(deck)),
        onError: reject,
      });
    });
  }

  constructor(deck) {
    Object.assign(this, { deck, name: "webgl", Layer: definePointLayer() });
  }

  /** first, second: (N, 2) float32. */
  setPositions(first, second) {
    this.points = { ...this.points, first, second };
  }

  /** colours: (N, 4) uint8, alpha 0 hides a point. */
  setColours(colours) {
    this.points = { ...this.points, colours };
  }

  /** blend: 0 for the first positions, 1 for the second. radius: CSS pixels. opacity: 0 to 1. */
  draw({ x, y, scale, width, height }, { blend, radius, opacity, background }) {
    const pixelRatio = Math.min(devicePixelRatio || 1, 2);
    const uniforms = {
      centre: [x, y],
      clipScale: [(2 * scale) / width, (2 * scale) / height],
      background: [...background, opacity],
      diameter: 2 * radius * pixelRatio,
      blend,
    };
    this.deck.setProps({ layers: [new this.Layer({ id: "points", ...this.points, uniforms })] });
    this.deck.layerManager?.updateLayers(); // otherwise points are drawn one frame later than labels
    this.deck.redraw("view changed");
  }

  resize() {
    this.deck.setProps({ useDevicePixels: Math.min(devicePixelRatio || 1, 2) }); // deck.gl takes the size from the canvas
  }
}
