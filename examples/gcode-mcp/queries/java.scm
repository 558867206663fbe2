(class_declaration name: (identifier) @name) @definition.class
(record_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(annotation_type_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.constant
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field

(method_invocation !object name: (identifier) @reference.call.member)
(method_invocation object: (_) name: (identifier) @reference.call.member)
(object_creation_expression type: (type_identifier) @reference.new.member)
(object_creation_expression type: (generic_type (type_identifier) @reference.new.member))
(superclass (type_identifier) @reference.inherit.member)
(super_interfaces (type_list (type_identifier) @reference.inherit.member))
(import_declaration (scoped_identifier name: (identifier) @reference.import.member))
(method_reference (identifier) @reference.use .)
(type_identifier) @reference.type.member
(field_access field: (identifier) @reference.use.member)
(identifier) @reference.use

(formal_parameter name: (identifier) @local)
(local_variable_declaration declarator: (variable_declarator name: (identifier) @local))
(catch_formal_parameter name: (identifier) @local)
(enhanced_for_statement name: (identifier) @local)
(lambda_expression parameters: (identifier) @local)
(inferred_parameters (identifier) @local)
