class ErrorsController < ActionController::Base
  def missing; end
end
