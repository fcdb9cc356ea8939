// Points drawn on the GPU by deck.gl, through a layer of our own: a token is one GL point cut to a
// disc (deck's ScatterplotLayer draws two triangles, many times slower where a CPU plays the GPU),
// and its two places travel together, so that the slider mixes them in the shader.

const view = {
  name: "view",
  vs: `uniform viewUniforms {
  vec2 centre; // of the screen, on the plane
  vec2 stretch; // plane → clip space
  vec4 ground; // what the colours are faded to, and how much of them is left
  float size; // diameter in device pixels
  float between; // 0 the first table's places, 1 the second's
} view;
`,
  fs: "",
  uniformTypes: { centre: "vec2<f32>", stretch: "vec2<f32>", ground: "vec4<f32>", size: "f32", between: "f32" },
};

const vs = `#version 300 es
in vec2 first;
in vec2 second;
in vec4 colour;
out vec3 paint;
void main() {
  vec2 place = (mix(first, second, view.between) - view.centre) * view.stretch;
  gl_Position = vec4(colour.a > 0.0 ? place : vec2(9.0), 0.0, 1.0); // hidden: off the screen
  gl_PointSize = view.size;
  paint = mix(view.ground.rgb, colour.rgb, view.ground.a);
}`;

const fs = `#version 300 es
precision mediump float;
in vec3 paint;
out vec4 pixel;
void main() {
  vec2 off = gl_PointCoord - 0.5;
  if (dot(off, off) > 0.25) discard;
  pixel = vec4(paint, 1.0);
}`;

/** The layer's class, once deck.gl is there. props: { attributes, count, uniforms }. */
const layerClass = () => {
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
      if (oldProps.colours && props.colours !== oldProps.colours) this.state.buffers[2].write(props.colours);
    }

    finalizeState(context) {
      super.finalizeState(context);
      this.state.buffers.forEach((buffer) => buffer.destroy());
    }

    // no attributes or shader modules of deck's own: the shader above knows all it needs
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
};

export class WebGLPoints {
  /** Start the library, whose script (text) comes from the page; null where there is no WebGL 2. */
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
        // discs of a few pixels: smoothing their edges fourfold costs more than it shows
        deviceProps: { type: "webgl", webgl: { antialias: false } },
        layers: [],
        onLoad: () => resolve(new WebGLPoints(deck)),
        onError: reject,
      });
    });
  }

  constructor(deck) {
    Object.assign(this, { deck, name: "webgl", Layer: layerClass() });
  }

  /** first, second: (N, 2) float32 places; colours: (N, 4) uint8, alpha 0 hides a point. */
  set(first, second, colours) {
    this.points = { first, second, colours };
  }

  recolour(colours) {
    this.points = { ...this.points, colours };
  }

  draw({ x, y, scale, width, height }, { between, radius, strength, ground }) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const uniforms = {
      centre: [x, y],
      stretch: [(2 * scale) / width, (2 * scale) / height],
      ground: [...ground, strength],
      size: 2 * radius * ratio,
      between,
    };
    this.deck.setProps({ layers: [new this.Layer({ id: "points", ...this.points, uniforms })] });
    this.deck.layerManager?.updateLayers(); // else deck takes them a frame later than the names are drawn
    this.deck.redraw("moved");
  }

  resize() {
    this.deck.setProps({ useDevicePixels: Math.min(devicePixelRatio || 1, 2) }); // it follows its canvas
  }
}
