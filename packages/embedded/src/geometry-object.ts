import { encodeArray, readElements, readEntries, TAG } from './cbor.ts'
import { headAt, MAJOR, textAt } from './cbor-walk.ts'

/** Makes the geometry of some coordinates; `undefined`: they are none of it. */
type Shape = (coordinates: Buffer) => Buffer | undefined

const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['Point', point],
  ['LineString', listOf(TAG.line, point)],
  ['Polygon', listOf(TAG.polygon, listOf(TAG.line, point))],
  ['MultiPoint', listOf(TAG.multiPoint, point)],
  ['MultiLineString', listOf(TAG.multiLine, listOf(TAG.line, point))],
  ['MultiPolygon', listOf(TAG.multiPolygon, listOf(TAG.polygon, listOf(TAG.line, point)))],
])

const COLLECTION = 'GeometryCollection'
const DOUBLE = 0xfb

/**
 * The geometry that an object in GeoJSON's form is to SurrealQL: nothing but `type` and `coordinates` (or `geometries`), and every
 * coordinate a float. `undefined`: it is just an object.
 */
export function geometryOf(object: Buffer): Buffer | undefined {
  const fields = new Map([...readEntries(object)].map(({ key, value }) => [key, value]))
  const type = fields.get('type')
  if (fields.size !== 2 || type === undefined || headAt(type, 0).major !== MAJOR.text) return undefined
  const name = textAt(type, 0)
  if (name === COLLECTION) return listOf(TAG.collection, geometry)(fields.get('geometries') ?? type)
  const coordinates = fields.get('coordinates')
  return coordinates === undefined ? undefined : SHAPES.get(name)?.(coordinates)
}

function listOf(tag: number, item: Shape): Shape {
  return (coordinates) => {
    const items = elementsOf(coordinates)?.map(item)
    const complete = items?.filter((made) => made !== undefined)
    if (complete === undefined || complete.length !== items?.length) return undefined
    // A polygon has an outside at least.
    return tag === TAG.polygon && complete.length === 0 ? undefined : tagged(tag, complete)
  }
}

function point(coordinates: Buffer): Buffer | undefined {
  const both = elementsOf(coordinates)
  return both?.length === 2 && both.every((number) => number[0] === DOUBLE) ? tagged(TAG.point, both) : undefined
}

function geometry(value: Buffer): Buffer | undefined {
  const { major, argument = 0 } = headAt(value, 0)
  return major === MAJOR.tag && argument >= TAG.point && argument <= TAG.collection ? value : undefined
}

function elementsOf(value: Buffer): readonly Buffer[] | undefined {
  return headAt(value, 0).major === MAJOR.array ? readElements(value) : undefined
}

function tagged(tag: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(0xd8, tag), encodeArray(items)])
}
